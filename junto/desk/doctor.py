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

from integrations import guard
from integrations.errors import AddressRefused
from integrations.llm.chat import ChatMessage, ModelError
from integrations.llm.openai_chat import OpenAIChatModel
from integrations.llm.transport import model_http_client
from integrations.models import Connection
from integrations.services import check_connection
from integrations.vendors import FILES
from junto.env import data_dir
from junto.tenants.models import Organization
from signals.processing.unread import IN_A_ROW, unread_processors

LOW_SPACE_BYTES = 1_000_000_000
SERVICE_SECONDS = 5.0
MODEL_SECONDS = 30.0


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
    yield check_model()
    for host, port in sorted(settings.LOCAL_TARGETS):
        yield check_local_target(host, port)
    if database.ok:
        yield from check_answers()
        yield from check_connections()


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
            workers = [set(worker.queue_names()) for worker in Worker.all(connection=client)]
    except RedisError as error:
        return Check("task engine", False, f"Redis: {error}", "start Redis, or correct REDIS_URL.")
    answers = f"Redis answers, {len(workers)} workers"
    if idle := [lane for lane in settings.LANES if not any(lane in lanes for lanes in workers)]:
        return Check("task engine", False, f"{answers}, none for {', '.join(idle)}", "start bin/junto worker.")
    # a worker does one call at a time, and all but the news may wait for minutes: for a model or a vendor
    free = {settings.LANES[0]} in workers
    detail = answers if free else f"{answers}, none of them for {settings.LANES[0]} alone"
    advice = (
        f"start bin/junto worker {settings.LANES[0]}: else a slow model holds up approvals, Stop and the live chat."
    )
    return Check("task engine", free, detail, advice)


def check_channel_layer() -> Check:
    """A message sent to the layer comes out of it."""
    layer = get_channel_layer()
    assert layer is not None  # settings.CHANNEL_LAYERS always names one

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


def check_model() -> Check:
    """The deployment's model endpoint answers a question of one word; without an endpoint the rehearsal does."""
    if not settings.LLM_BASE_URL:
        return Check("model endpoint", True, "none set, the rehearsal model serves (JUNTO_LLM_BASE_URL)")
    name = f"{settings.LLM_MODEL or 'no model'} at {settings.LLM_BASE_URL}"
    try:
        with model_http_client(settings.LLM_BASE_URL) as client:
            model = OpenAIChatModel(
                base_url=settings.LLM_BASE_URL,
                api_key=settings.LLM_API_KEY,
                model=settings.LLM_MODEL,
                http_client=client,
                retries=0,
            )
            model.complete([ChatMessage("user", "Answer with OK.")], [], deadline_seconds=MODEL_SECONDS)
    except (ModelError, AddressRefused) as error:
        return Check("model endpoint", False, name, str(error))
    money = "its calls are priced" if settings.LLM_PRICES else "its calls have no price (JUNTO_LLM_PRICES)"
    return Check("model endpoint", True, f"{name} answers; {money}")


def check_answers() -> Iterator[Check]:
    """What the model lately answered to the processors of each organization can be read. Asks it nothing."""
    if not settings.LLM_BASE_URL:
        return
    advice = (
        "see that the endpoint lets the model call functions (tool calls), and with a context long enough for a "
        "ticket; then let tickets be read again: what cannot be read is paid for, too."
    )
    for organization in Organization.objects.order_by("slug"):
        unread = unread_processors(organization)
        detail = f"the last {IN_A_ROW} could not be read: {'; '.join(unread)}" if unread else "can be read"
        yield Check(f"answers to processors of {organization.slug}", not unread, detail, advice)


def check_local_target(host: str, port: int) -> Check:
    """Something listens at a target that the operator listed."""
    name = f"local target {host}:{port}"
    try:
        guard.connect(host, port, seconds=SERVICE_SECONDS).close()
    except (AddressRefused, OSError) as error:
        advice = "start what should listen there (the sandbox: bin/junto up), or take it out of JUNTO_LOCAL_TARGETS."
        return Check(name, False, str(error), advice)
    return Check(name, True, "listens")


def check_connections() -> Iterator[Check]:
    """Each connection of each organization reaches its vendor with its credentials; its row keeps what was seen."""
    for organization in Organization.objects.order_by("slug"):
        for each in Connection.objects.for_organization(organization).exclude(vendor=FILES).order_by("vendor"):
            health = check_connection(each)
            yield Check(f"connection {organization.slug}/{each.vendor}", health.ok, health.summary, health.advice)
