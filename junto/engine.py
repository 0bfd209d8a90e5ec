"""The embedded task engine: worker threads and the clock inside the one server process, and the way to sockets.

Memory only, on purpose: the engine is a doorbell and rows are the truth (HOUSE 3, Waking). Distributed, RQ on Redis
takes the place of the lanes, and `push` goes through the Redis channel layer; the clock is the same in both.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import close_old_connections, connections
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus

log = structlog.get_logger(__name__)

#: Threads of each lane (`settings.LANES`); none takes work of another lane, so that a backlog of what the agent does by
#: itself delays neither a person nor the poll. Two of those keep one another off the interpreter less than four did.
#: Most threads of `people` only wait for a model, which may take minutes.
THREADS = {"news": 2, "actions": 4, "people": 8, "polls": 2, "default": 2}
#: Threads for what the clock calls: one may be long at a slow source while the other sweeps.
CLOCK_THREADS = 2
#: Seconds that `stop` waits for running calls, in all.
STOP_WAIT_SECONDS = 3.0


@dataclass(frozen=True)
class Call:
    """One task with the key it is called with."""

    task: Task[..., Any]
    key: str

    def run(self) -> None:
        """Call it on this thread; whatever it raises is logged and ends neither thread nor command."""
        try:
            self.task.call(self.key)
        except Exception:
            log.exception("task failed", task=self.task.module_path, key=self.key)


class Lane:
    """Calls that wait, first come, first served. One that waits already is not taken a second time.

    That loses nothing: a call carries only a key, and has yet to read the rows.
    """

    def __init__(self) -> None:
        self._calls: dict[Call, None] = {}
        self._changed = threading.Condition()
        self._open = True

    def put(self, call: Call) -> None:
        """Add a call at the end, and wake a thread for it."""
        with self._changed:
            self._calls.setdefault(call)
            self._changed.notify()

    def take(self, *, wait: bool) -> Call | None:
        """The call that waits longest; None when there is none (only with `wait` False) or the lane was closed."""
        with self._changed:
            while wait and self._open and not self._calls:
                self._changed.wait()
            if not self._calls or (wait and not self._open):
                return None
            call = next(iter(self._calls))
            del self._calls[call]
            return call

    def close(self) -> None:
        """Forget what waits and let the threads go home."""
        with self._changed:
            self._open = False
            self._calls.clear()
            self._changed.notify_all()

    def open(self) -> None:
        """Begin anew, empty."""
        with self._changed:
            self._open = True
            self._calls.clear()


_lanes: dict[str, Lane] = {name: Lane() for name in settings.LANES}
_clock_lane = Lane()
_threads: list[threading.Thread] = []
_scheduler: BackgroundScheduler | None = None
_loop: asyncio.AbstractEventLoop | None = None


class ThreadBackend(BaseTaskBackend):
    """A django-tasks backend whose tasks run on the threads of their lane, or at `drain()` where none run."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> TaskResult[Any]:
        """Let the call wait in memory and return at once. Every task takes one key (a test says so)."""
        self.validate_task(task)
        (key,) = args
        _lanes[task.queue_name].put(Call(task, key))
        return TaskResult(
            task=task,
            id=uuid.uuid4().hex,  # a tenth of the cost of 32 random choices, of which a delivery makes thousands
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


def start(loop: asyncio.AbstractEventLoop) -> None:
    """Start the lanes and the clock; `loop` is the server's, kept for `push`."""
    global _loop
    _loop = loop
    for name, lane in _lanes.items():
        _start_lane(lane, name, THREADS[name])
    start_clock()


def start_clock() -> None:
    """Call every task of `settings.CLOCK` at its interval (seconds), on threads of its own in this process."""
    global _scheduler
    _start_lane(_clock_lane, "clock", CLOCK_THREADS)
    _scheduler = BackgroundScheduler(timezone="UTC")
    for dotted, seconds in settings.CLOCK.items():
        _scheduler.add_job(_tick, "interval", seconds=seconds, args=[dotted], coalesce=True, max_instances=1)
    _scheduler.start()


def stop() -> None:
    """Stop the clock and the lanes: what waits is forgotten, what runs gets STOP_WAIT_SECONDS (rows survive)."""
    global _loop, _scheduler
    if _scheduler is not None:
        _scheduler.shutdown(wait=False)
        _scheduler = None
    for lane in (_clock_lane, *_lanes.values()):
        lane.close()
    deadline = time.monotonic() + STOP_WAIT_SECONDS
    for thread in _threads:
        thread.join(max(deadline - time.monotonic(), 0))
    _threads.clear()
    _loop = None


def take(lane: str) -> Call | None:
    """The call that waits longest in one lane, where no threads run; None when none does. For tests."""
    return _lanes[lane].take(wait=False)


def forget() -> int:
    """Drop every call that waits; how many. For tests, which must not find those of another."""
    count = 0
    while _next() is not None:
        count += 1
    return count


def drain(limit: int = 1000) -> int:
    """Run waiting calls on this thread, lane by lane, until none is left; returns how many. For commands and tests.

    Raises:
        RuntimeError: after `limit` calls, as calls seem to ring each other for ever.
    """
    for count in range(limit):
        call = _next()
        if call is None:
            return count
        call.run()
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


def _start_lane(lane: Lane, name: str, count: int) -> None:
    lane.open()
    for number in range(count):
        thread = threading.Thread(target=_work, args=[lane], name=f"junto-{name}-{number}", daemon=True)
        thread.start()
        _threads.append(thread)


def _work(lane: Lane) -> None:
    while (call := lane.take(wait=True)) is not None:
        close_old_connections()
        try:
            call.run()
        finally:
            close_old_connections()
    connections.close_all()


def _next() -> Call | None:
    """The call to run next where no threads are: of the most urgent lane that has one."""
    return next((call for lane in _lanes.values() if (call := lane.take(wait=False)) is not None), None)


def _tick(dotted: str) -> None:
    _clock_lane.put(Call(import_string(dotted), ""))
