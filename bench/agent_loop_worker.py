"""One measurement of the agent loop in a process of its own; prints one JSON object. Started by bench/agent_loop.py.

The environment says where: DATABASE_URL (or SQLite in JUNTO_DATA_DIR) and JUNTO_LLM_BASE_URL (bench/model_server.py).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from agent.models import AgentSession, StartRule  # noqa: E402
from agent.services import open_session  # noqa: E402
from agent.start_rules import set_start_rule  # noqa: E402
from approvals.models import Action, Decision  # noqa: E402
from approvals.services import decide_action  # noqa: E402
from integrations.tools import (  # noqa: E402
    Category,
    Change,
    Preview,
    Risk,
    Scope,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)
from junto import engine  # noqa: E402
from junto.team.organizations import create_company, create_organization  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Company, Membership, Organization, User  # noqa: E402
from signals.models import Signal  # noqa: E402

PATIENCE_SECONDS = 60.0


class Words(ToolArguments):
    """What every tool of the benchmark takes."""

    text: str


def _title(arguments: Words) -> str:
    return f"Bench: {arguments.text}"


def _answer(context: ToolContext, arguments: Words) -> ToolResult:
    return ToolResult(content={"text": arguments.text, "rows": ["a row of some length"] * 5}, summary="5 rows")


def _preview(context: ToolContext, arguments: Words) -> Preview:
    changes = (Change("Text", "", arguments.text),)
    return Preview(_title(arguments), "the ticket", changes, "Nobody outside", "None", {"state": "open"})


def declare_tools() -> None:
    """Two reads and two writes that touch nothing outside this process."""
    for name in ("look", "list"):
        tool(name=f"junto.bench_{name}", label=name, description=name, arguments=Words, title=_title, scope=Scope.FREE)(
            _answer
        )
    for name in ("note", "close"):
        tool(
            name=f"junto.bench_{name}",
            label=name,
            description=name,
            arguments=Words,
            title=_title,
            scope=Scope.FREE,
            category=Category.WRITE,
            risk=Risk.LOW,
            preview=_preview,
        )(_answer)


def make_organization() -> tuple[Organization, Company, Membership]:
    """An MSP with one client and its owner, who decides. The agent begins on nothing that nobody asked for."""
    user = User.objects.create_user("bench", "bench@example.com", "!")
    organization = create_organization(name="Bench", slug="bench", owner=user)
    company = create_company(actor=Actor.system("sync", organization), name="Client")
    membership = Membership.objects.for_organization(organization).get()
    set_start_rule(actor=Actor.person(membership), mode=StartRule.Mode.OFF)
    return organization, company, membership


def make_signals(organization: Organization, company: Company, count: int, first: int) -> list[Signal]:
    """New signals without a connection."""
    now = timezone.now()
    rows = [
        Signal(
            organization=organization,
            external_id=str(first + number),
            company=company,
            subject="Printer on the second floor does not print",
            description="It worked yesterday. Lights are green.",
            source_created_at=now,
            source_updated_at=now,
            revision=1,
        )
        for number in range(count)
    ]
    return Signal.unscoped.bulk_create(rows)


def drive(signal: Signal, membership: Membership) -> float:
    """One whole session, a person approving both writes at once; returns its seconds.

    Raises:
        TimeoutError: it did not come to rest.
    """
    began = time.perf_counter()
    session = open_session(signal=signal, actor=Actor.person(membership), mode="triage")
    resting = AgentSession.State.WAITING_FOR_TECHNICIAN
    while time.perf_counter() - began < PATIENCE_SECONDS:
        if not engine.drain(limit=10_000):
            time.sleep(0.001)
        session.refresh_from_db(fields=["state"])
        if session.state == resting:
            return _whole(session, time.perf_counter() - began)
        if session.state not in AgentSession.LIVE:
            raise RuntimeError(f"the session ended as {session.state}: {session.state_detail}")
        waiting = Action.unscoped.filter(origin_id=session.origin_id, state=Action.State.WAITING)
        for action in waiting:
            decide_action(action_id=action.pk, actor=Actor.person(membership), verdict="approve", digest=action.digest)
    raise TimeoutError(f"the session is still {session.state}")


def _whole(session: AgentSession, seconds: float) -> float:
    """`seconds`, of a session that was the one to be measured. Raises RuntimeError for any other."""
    replies = session.events.filter(kind="model_replied").count()
    done = Action.unscoped.filter(origin_id=session.origin_id, state=Action.State.SUCCEEDED)
    decided = Decision.unscoped.filter(action__in=done).count()
    if (replies, done.count(), decided) != (5, 4, 2):
        raise RuntimeError(f"The session had {replies} replies, {done.count()} calls and {decided} decisions.")
    return seconds


def run_many(signals: list[Signal], membership: Membership, threads: int) -> float:
    """Drive all sessions on so many threads; returns seconds of the wall clock."""
    queue = iter(signals)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                with lock:
                    signal = next(queue, None)
                if signal is None:
                    return
                drive(signal, membership)
        except BaseException as failure:  # told to the main thread, which raises it
            failures.append(failure)
        finally:
            connections.close_all()

    began = time.perf_counter()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - began


def stored_bytes() -> int:
    """Bytes the database takes now: live pages of SQLite, or PostgreSQL's tables with their indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute(
                "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
                "pragma_freelist_count, pragma_page_size"
            )
        else:
            cursor.execute("VACUUM")
            cursor.execute("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'")
        return int(cursor.fetchone()[0])


def main(sessions: int, rounds: int) -> None:
    """Warm up, then measure CPU at one thread and sessions a second at 1 and at 8 threads, `rounds` times each."""
    call_command("migrate", verbosity=0)
    declare_tools()
    organization, company, membership = make_organization()
    run_many(make_signals(organization, company, 3, 0), membership, 1)
    before = stored_bytes()
    cpu, alone, eight = [], [], []
    number = 1_000
    for _ in range(rounds):
        signals = make_signals(organization, company, sessions, number)
        began = time.process_time()
        alone.append(sessions / run_many(signals, membership, 1))
        cpu.append((time.process_time() - began) / sessions * 1_000)
        number += sessions
    stored = (stored_bytes() - before) / (sessions * rounds)
    for _ in range(rounds):
        eight.append(sessions / run_many(make_signals(organization, company, sessions, number), membership, 8))
        number += sessions
    figures = {
        "cpu_ms_per_session": round(statistics.median(cpu), 1),
        "sessions_per_second_at_1": round(statistics.median(alone), 2),
        "sessions_per_second_at_8": round(statistics.median(eight), 2),
        "bytes_stored_per_session": round(stored),
        "sessions": sessions,
        "rounds": rounds,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
