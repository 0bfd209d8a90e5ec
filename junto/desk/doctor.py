"""What `bin/junto doctor` looks at: every part an operator can have got wrong, each with advice when it is."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string
from redis import Redis, RedisError
from rq import Worker

from junto.env import data_dir

LOW_SPACE_BYTES = 1_000_000_000
SERVICE_SECONDS = 5.0


@dataclass(frozen=True)
class Check:
    """One finding. `advice` says what to do and matters only when it is not `ok`."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def examine() -> Iterator[Check]:
    """Every check in turn; those that read rows are left out when the database cannot be read."""
    yield check_debug()
    yield check_disk()
    database = check_database()
    yield database
    yield check_bells()
    yield check_engine()
    yield check_channel_layer()


def check_debug() -> Check:
    """Debug pages show settings to whoever makes an error happen."""
    detail = f"answers to {', '.join(settings.ALLOWED_HOSTS)} at {settings.PUBLIC_URL}"
    return Check("configuration", not settings.DEBUG, detail, "unset JUNTO_DEBUG: its error pages show internals.")


def check_disk() -> Check:
    """Room for the data folder to grow."""
    try:
        free = shutil.disk_usage(data_dir()).free
    except OSError as error:
        return Check("data folder", False, f"{data_dir()}: {error.strerror}", "create it, or set JUNTO_DATA_DIR.")
    detail = f"{data_dir()}, {free // 1_000_000_000} GB free"
    return Check("data folder", free >= LOW_SPACE_BYTES, detail, "free some space before the disk is full.")


def check_database() -> Check:
    """The database answers and has every migration."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        reason = (str(error).strip() or error.__class__.__name__).splitlines()[0]
        return Check("database", False, reason, "start the database, or correct DATABASE_URL.")
    if pending:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in pending[:3])
        return Check("database", False, f"{len(pending)} pending migrations ({names} ...)", "run bin/junto migrate.")
    return Check("database", True, f"{connection.vendor}, every migration applied")


def check_bells() -> Check:
    """Every task that a bell or the clock names exists."""
    names = {*settings.CLOCK, *(dotted for tasks in settings.BELLS.values() for dotted in tasks)}
    missing = []
    for dotted in sorted(names):
        try:
            import_string(dotted)
        except ImportError:
            missing.append(dotted)
    detail = f"{', '.join(missing)} not found" if missing else f"{len(names)} tasks listen"
    return Check("bells", not missing, detail, "this is a broken installation: install the version again.")


def check_engine() -> Check:
    """Distributed: Redis answers and somebody works the queue. Embedded: the server's own threads do."""
    if not settings.REDIS_URL:
        return Check("task engine", True, "embedded: threads of the server process")
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=SERVICE_SECONDS) as client:
            workers = Worker.count(connection=client)
    except RedisError as error:
        return Check("task engine", False, f"Redis: {error}", "start Redis, or correct REDIS_URL.")
    return Check("task engine", workers > 0, f"Redis answers, {workers} workers", "start bin/junto worker.")


def check_channel_layer() -> Check:
    """A message sent to the layer comes out of it."""
    layer = get_channel_layer()

    async def there_and_back() -> None:
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "doctor"})
        await asyncio.wait_for(layer.receive(channel), SERVICE_SECONDS)

    try:
        async_to_sync(there_and_back)()
    except (RedisError, OSError, TimeoutError) as error:
        reason = str(error) or error.__class__.__name__
        return Check("channel layer", False, reason, "start Redis, or correct REDIS_URL.")
    return Check("channel layer", True, type(layer).__name__)
