"""The embedded task engine: worker threads and the clock inside the one server process, and the way to sockets.

Memory only, on purpose: the engine is a doorbell and rows are the truth (HOUSE 3, Waking). Distributed, RQ on Redis
takes the place of the threads, and `push` goes through the Redis channel layer.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import close_old_connections, connections
from django.utils.module_loading import import_string
from django_tasks.backends.immediate import ImmediateBackend
from django_tasks.base import TaskResult, TaskResultStatus

log = structlog.get_logger(__name__)

WORKER_THREADS = 4
STOP_WAIT_SECONDS = 5.0

_pending: queue.SimpleQueue[tuple[ThreadBackend, TaskResult[Any]] | None] = queue.SimpleQueue()
_threads: list[threading.Thread] = []
_scheduler: BackgroundScheduler | None = None
_loop: asyncio.AbstractEventLoop | None = None


class ThreadBackend(ImmediateBackend):
    """A django-tasks backend whose tasks run on this process's worker threads, or at `drain()` where none run."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> TaskResult[Any]:
        """Queue the call in memory and return at once."""
        self.validate_task(task)
        result: TaskResult[Any] = TaskResult(
            task=task,
            id=str(id(object())),
            status=TaskResultStatus.READY,
            enqueued_at=None,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        _pending.put((self, result))
        return result

    def run(self, result: TaskResult[Any]) -> None:
        """Run one queued call on this thread; an exception is logged and does not end the thread."""
        self._execute_task(result)
        for error in result.errors:
            log.error("task failed", task=result.task.module_path, args=result.args, traceback=error.traceback)


def start(loop: asyncio.AbstractEventLoop) -> None:
    """Start worker threads and the clock; `loop` is the server's, kept for `push`."""
    global _loop, _scheduler
    _loop = loop
    for number in range(WORKER_THREADS):
        thread = threading.Thread(target=_work, name=f"junto-worker-{number}", daemon=True)
        thread.start()
        _threads.append(thread)
    _scheduler = clock()
    _scheduler.start()


def stop() -> None:
    """Stop the clock and the threads; waits for running calls, at most STOP_WAIT_SECONDS in all (rows survive)."""
    global _loop, _scheduler
    if _scheduler is not None:
        _scheduler.shutdown(wait=False)
        _scheduler = None
    for _ in _threads:
        _pending.put(None)
    for thread in _threads:
        thread.join(STOP_WAIT_SECONDS / max(len(_threads), 1))
    _threads.clear()
    _loop = None


def clock() -> BackgroundScheduler:
    """A scheduler that enqueues every task of `settings.CLOCK` at its interval (seconds); not yet started."""
    scheduler = BackgroundScheduler(timezone="UTC")
    for dotted, seconds in settings.CLOCK.items():
        scheduler.add_job(_tick, "interval", seconds=seconds, args=[dotted], coalesce=True, max_instances=1)
    return scheduler


def drain(limit: int = 1000) -> int:
    """Run queued calls on this thread until none is left; returns how many ran. For commands and tests.

    Raises:
        RuntimeError: after `limit` calls, as calls seem to ring each other for ever.
    """
    for count in range(limit):
        try:
            entry = _pending.get_nowait()
        except queue.Empty:
            return count
        if entry is not None:
            entry[0].run(entry[1])
    raise RuntimeError(f"More than {limit} calls: tasks seem to ring each other for ever.")


def push(group: str, message: dict[str, Any]) -> None:
    """Send `message` to a channel group: the only caller of `group_send`. A doorbell; may be lost."""
    layer = get_channel_layer()
    if layer is None:
        return
    if _loop is not None:
        # handing the coroutine to the server's own loop takes 0.5 ms; async_to_sync from a thread took 92 (HOUSE 3)
        asyncio.run_coroutine_threadsafe(layer.group_send(group, message), _loop)
    elif settings.REDIS_URL:
        async_to_sync(layer.group_send)(group, message)


def _work() -> None:
    while (entry := _pending.get()) is not None:
        close_old_connections()
        try:
            entry[0].run(entry[1])
        finally:
            close_old_connections()
    connections.close_all()


def _tick(dotted: str) -> None:
    import_string(dotted).enqueue("")
