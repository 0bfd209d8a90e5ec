"""One measurement of the processors in a process of its own; prints one JSON object.

All ten are switched on. Those that learn have learned from 400 closed tickets, the lists of the PSA are read from the
sandbox and remembered; no language model is there.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from dataclasses import dataclass

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.msp import connect_psa, make_msp, text  # noqa: E402
from integrations.models import CompanyLink  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Company  # noqa: E402
from signals.models import Board, ProcessorResult, ProcessorSetting, Signal  # noqa: E402
from signals.processing.learning import train_processor  # noqa: E402
from signals.processing.pipeline import run_processors  # noqa: E402
from signals.processors import PROCESSORS  # noqa: E402
from signals.processors.base import Lists  # noqa: E402
from signals.sync.live_lists import live_lists  # noqa: E402

TICKETS_A_ROUND = 50
WARM_UP = 10
LESSONS = 400
BYTES = 2048
TEXT_ALONE = {"issue_or_request", "entities", "summary", "automation", "sentiment"}
STORY = """Hello,

since this morning Outlook on the laptop of Dana Whitfield (HB-LT-0231) asks for the password again and again. She has
tried it three times and restarted the machine, and now the VPN says that the account is locked. This is really
frustrating, as the payroll run has to be finished by 3 pm today and nobody else can do it!

What we see: "The connection to the Microsoft Exchange server is unavailable", error 0x8004011D, and in the browser
https://portal.example.com/login shows a blank page. The firewall at 192.168.12.1 was updated yesterday by your team.
The printer at the front desk works, and so does the file server HB-FS-01.

Could you please have a look as soon as possible, and call me back at +1 555 010 7788?

"""


def main(rounds: int) -> dict[str, float]:
    """CPU and wall clock of one ticket, the median."""
    call_command("migrate", verbosity=0)
    actor, _ = make_msp()
    organization = actor.organization
    ProcessorSetting.unscoped.bulk_create(
        ProcessorSetting(organization=organization, processor=each.slug, enabled=True) for each in PROCESSORS
    )
    desk = Desk.of(actor)
    Signal.unscoped.bulk_create(desk.ticket(number, closed=True) for number in range(LESSONS))
    for processor in PROCESSORS:
        if processor.learns:
            train_processor(organization, processor)
    worked, taken = [], []
    for number in range(WARM_UP + rounds * TICKETS_A_ROUND):
        signal = desk.ticket(LESSONS + number, closed=False)
        signal.save(force_insert=True)
        began, cpu = time.perf_counter(), time.process_time()
        said = run_processors(signal)
        if number >= WARM_UP:
            worked.append(1000 * (time.process_time() - cpu))
            taken.append(1000 * (time.perf_counter() - began))
        _expect(said)
    return {
        "cpu_ms": round(statistics.median(worked), 1),
        "cpu_ms_p95": round(statistics.quantiles(worked, n=20)[-1], 1),
        "wall_ms": round(statistics.median(taken), 1),
        "tickets": len(worked),
    }


@dataclass(frozen=True)
class Desk:
    """A service desk of the PSA, with what its tickets may be, and a client."""

    board: Board
    company: Company
    types: tuple[str, ...]
    priorities: tuple[str, ...]
    chance: random.Random

    @classmethod
    def of(cls, actor: Actor) -> Desk:
        psa = connect_psa(actor)
        board = Board.unscoped.create(
            organization=actor.organization, connection=psa, external_id="1", name="Service Desk"
        )
        company = CompanyLink.unscoped.filter(connection=psa).order_by("external_id")[0].company
        types = live_lists(psa, board, Lists.TYPES).types
        priorities = live_lists(psa, board, Lists.PRIORITIES).priorities
        if len(types) < 2 or not priorities:
            raise RuntimeError("The sandbox's board has no types to choose from.")
        return cls(
            board=board,
            company=company,
            types=tuple(one.name for one in types[:4]),
            priorities=tuple(one.name for one in priorities),
            chance=random.Random(7),
        )

    def ticket(self, number: int, *, closed: bool) -> Signal:
        """A mail of 2 KB, unsaved; each has other words at its end, and a closed one its type."""
        now = timezone.now()
        return Signal(
            organization_id=self.company.organization_id,
            connection=self.board.connection,
            board=self.board,
            company=self.company,
            external_id=str(number),
            subject=f"Outlook asks for the password {text(self.chance, 2)}",
            description=(STORY + text(self.chance, 300))[:BYTES],
            type=self.chance.choice(self.types) if closed else "",
            priority=self.chance.choice(self.priorities),
            state=Signal.State.RESOLVED if closed else Signal.State.NEW,
            closed_at_source=closed,
            source_created_at=now,
            source_updated_at=now,
            revision=1,
        )


def _expect(said: list[ProcessorResult]) -> None:
    """None failed, and those that read nothing but the text said something."""
    failed = [(row.processor, row.reason) for row in said if row.state == ProcessorResult.State.FAILED]
    missing = TEXT_ALONE - {row.processor for row in said}
    if failed or missing:
        raise RuntimeError(f"Failed: {failed}; said nothing: {sorted(missing)}")


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
