"""The demo's story of an alert: it is raised, a run opens its ticket, it clears, and the ticket closes with it.

What has to be switched on for that is switched on by the people of the demo, through the same services as on their
pages; the alert comes and goes at the vendor sandbox. Everything else is done by the running server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from integrations.lifecycle import let_alerts_in
from integrations.models import Connection
from junto.desk.demo.loading import DemoFailed, actor_of, run_of_sandbox
from junto.desk.demo.people import FIRMS, Firm
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Role
from runbooks.models import Runbook, Trigger
from runbooks.triggers import save_trigger
from signals.intake.alert_boards import choose_alert_boards, ticket_boards
from signals.intake.folding import CLEARED_BUT_KEPT
from signals.models import Board, Signal
from signals.write_back.cleared import closing_statuses, set_cleared_statuses

#: What falls ill, and what that is called: the monitoring's kind and name of the condition.
DEVICE = "LAU-SRV-01"
ALERT_TYPE = "CONDITION_AGENT_DISK_FREE_SPACE: Disk space critical"
RUNBOOK = "Disk nearly full on a server or workstation"
BOARD = "Alerts"
#: Seconds that one thing may take: the server asks the monitoring every half minute.
PATIENCE = 150.0
_LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class AlertStory:
    """One telling. `base_url` is where the server answers."""

    base_url: str
    say: Callable[[str], None]

    def tell(self, *, stands: float) -> None:
        """From the alert to the closed ticket; the alert stands for so many seconds after its run has ended.

        Raises:
            DemoFailed: the demo is not loaded, or the server did not do its part in time.
        """
        monitoring = self.prepare()
        uid = self._play(monitoring, "raise", "--device", DEVICE).strip()
        self.say(f"NinjaOne raises an alert on {DEVICE}: {ALERT_TYPE}")
        ticket = self._until(lambda: _ticket_of(monitoring, uid), "no run opened a ticket for it")
        path = f"{self.base_url}/o/{ticket.organization.slug}/signals/{ticket.pk}/"
        self.say(f"A run opened ticket {ticket.external_id} for it: {path}")
        self._until(lambda: _at_rest(ticket), "the run did not end")
        self.say(f"The run has ended; the ticket is open. The alert clears in {stands:.0f} s.")
        self.say("Whoever writes a note on the ticket, takes it or decides something on it meanwhile keeps it open.")
        time.sleep(stands)
        self._play(monitoring, "clear", "--uid", uid)
        self.say("The alert has cleared.")
        ended = self._until(lambda: _ended(ticket), "nothing was heard of it")
        closed = ended.state == Signal.State.RESOLVED
        self.say(f"Ticket {ticket.external_id} is {'closed' if closed else 'still open'}. {ended.state_reason}".strip())

    def prepare(self) -> Connection:
        """Have switched on what is not yet; returns the monitoring's connection. Raises DemoFailed."""
        firm = FIRMS[0]
        organization = Organization.objects.filter(slug=firm.slug).first()
        rows = Connection.objects.for_organization(organization) if organization else Connection.objects.none()
        monitoring = rows.filter(vendor="ninjaone").select_related("organization").first() if organization else None
        if organization is None or monitoring is None:
            raise DemoFailed("the demo is not loaded: start bin/junto up first.")
        admin, manager = _somebody(organization, firm, Role.ADMIN), _somebody(organization, firm, Role.MANAGER)
        if not monitoring.takes_alerts:
            let_alerts_in(actor=admin, connection=monitoring, taken=True)
            self.say(f"{admin.label} lets the alerts of NinjaOne in")
        self._begin_by_alert(organization, manager)
        self._close_when_cleared(organization, admin)
        self._join_tickets(organization, admin)
        return monitoring

    def _begin_by_alert(self, organization: Organization, manager: Actor) -> None:
        runbook = Runbook.objects.for_organization(organization).filter(title=RUNBOOK, company=None).first()
        if runbook is None:
            raise DemoFailed(f"there is no runbook “{RUNBOOK}” any more.")
        if not runbook.triggers.filter(kind=Trigger.Kind.ALERT, alert_type=ALERT_TYPE).exists():
            trigger = Trigger(runbook=runbook, kind=Trigger.Kind.ALERT, alert_type=ALERT_TYPE)
            save_trigger(actor=manager, trigger=trigger, companies=[])
            self.say(f"{manager.label} lets the runbook “{RUNBOOK}” begin by such an alert")

    def _close_when_cleared(self, organization: Organization, admin: Actor) -> None:
        for board in Board.objects.for_organization(organization).filter(name=BOARD, cleared_status_id=""):
            status = next(iter(closing_statuses(board)), None)
            if status is None:
                raise DemoFailed(f"no status of the board {BOARD} closes a ticket.")
            set_cleared_statuses(actor=admin, chosen={board.pk: status.id})
            self.say(f"{admin.label} has tickets on {BOARD} closed once their alert cleared, and answers for it")

    def _join_tickets(self, organization: Organization, admin: Actor) -> None:
        """The alerts that stand have tickets on that board already, as an RMM opens them: each pair becomes one."""
        boards = list(ticket_boards(organization))
        chosen = {board.pk for board in boards if board.holds_alerts or board.name == BOARD}
        if chosen != {board.pk for board in boards if board.holds_alerts}:
            choose_alert_boards(actor=admin, chosen=chosen)
            self.say(f"{admin.label} says that tickets on {BOARD} are alerts: they fold, and go with those of NinjaOne")

    def _play(self, monitoring: Connection, *words: str) -> str:
        place = urlsplit(monitoring.base_url)
        return run_of_sandbox(["monitoring", "--sandbox", f"{place.scheme}://{place.netloc}", *words])

    def _until(self, look: Callable[[], Signal | None], otherwise: str) -> Signal:
        deadline = time.monotonic() + PATIENCE
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise DemoFailed(
                    f"{otherwise} within {PATIENCE:.0f} s. Does bin/junto up run, and is the last alert on {DEVICE}"
                    " closed? One that stands still is repeated by the new one."
                )
            time.sleep(_LOOK_AGAIN_SECONDS)
        return found


def _somebody(organization: Organization, firm: Firm, role: Role) -> Actor:
    return actor_of(organization, next(person for person in firm.people if person.role is role))


def _ticket_of(monitoring: Connection, uid: str) -> Signal | None:
    """The ticket that stands for the alert: its signal took that number, and the alert was left behind as a row."""
    rows = Signal.objects.for_organization(monitoring.organization).filter(connection=monitoring, external_id=uid)
    left = rows.select_related("ticket__organization").first()
    return left.ticket if left is not None else None


def _now(ticket: Signal) -> Signal:
    found: Signal = Signal.objects.for_organization(ticket.organization).get(pk=ticket.pk)
    return found


def _at_rest(ticket: Signal) -> Signal | None:
    now = _now(ticket)
    return now if now.state != Signal.State.TRIAGING else None


def _ended(ticket: Signal) -> Signal | None:
    """Closed, or kept open for a reason."""
    now = _now(ticket)
    return now if now.state == Signal.State.RESOLVED or now.state_reason == CLEARED_BUT_KEPT else None
