"""What bells and the clock wake here: the poll, placing what waited, the processors. Each is safe to repeat."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks import task

from approvals.models import Action, Origin
from integrations.errors import IntegrationError
from integrations.models import TICKET_KIND, Connection, ExternalRef, ModelUsage, WebhookHint
from integrations.services import is_ticket_source, takes_alerts
from integrations.webhooks import forget_old_hints
from junto.bells import ring
from junto.tenants.models import Organization
from signals.back_tests.running import advance_back_test
from signals.files.importing import advance_import
from signals.intake import placing
from signals.intake.folding import settle_strays
from signals.intake.maintenance import settle_window
from signals.intake.opened import LOOKED_BACK, take_ticket
from signals.models import BackTest, MaintenanceWindow, ProcessorResult, Rerun, Signal, TicketImport
from signals.processing.asking import LOST_AFTER, SUBJECT
from signals.processing.connected import read_anew
from signals.processing.learning import due_for_training, train_processor
from signals.processing.pipeline import run_processors
from signals.processing.rerun import advance_rerun
from signals.processors import processor_of
from signals.service.clocks import keep_clocks
from signals.service.escalation import escalate
from signals.sync import alerts, drift, hints, polling
from signals.write_back import cleared
from signals.write_back.clearings import CLEARED
from signals.write_back.writing import write_back as carry_back

#: Signals that one sweep looks at, so that a backlog does not become a burst.
SWEEP_LIMIT = 200
#: So long a bell may take before it counts as lost.
BELL_TAKES = timedelta(seconds=15)
#: So long a value that could not be carried to its source is tried again.
WISHED_FOR = timedelta(hours=12)

log = structlog.get_logger(__name__)


@task(queue_name="polls")
def poll_connection(connection_id: str) -> None:
    """Poll one connection; a paused or removed one, and one that gives neither tickets nor alerts, is left alone."""
    connection = Connection.unscoped.select_related("organization").filter(pk=connection_id).first()
    if connection is None or connection.state == Connection.State.PAUSED:
        return
    if is_ticket_source(connection):
        polling.poll_connection(connection)
    elif takes_alerts(connection):
        alerts.poll_alerts(connection)


@task(queue_name="polls")
def place_waiting(connection_id: str) -> None:
    """Companies, contacts or devices of a connection have become known: signals that wait for them get them."""
    connection = Connection.unscoped.select_related("organization").filter(pk=connection_id).first()
    if connection is not None:
        placing.place_waiting(connection)


@task(queue_name="polls")
def read_hints(connection_id: str) -> None:
    """Read back what a vendor's webhook hinted at; a paused connection is left alone."""
    connection = Connection.unscoped.select_related("organization").filter(pk=connection_id).first()
    if connection is not None and connection.state != Connection.State.PAUSED:
        hints.read_hints(connection)


@task
def sweep_hints(_: str = "") -> None:
    """Find the hints of lost bells and of vendors that did not answer; forget those read long ago."""
    late = WebhookHint.unscoped.filter(read_at=None, received_at__lt=timezone.now() - BELL_TAKES)
    for connection_id in late.order_by().values_list("connection_id", flat=True).distinct():
        ring("webhook.hint", str(connection_id))
    forget_old_hints()


@task
def end_maintenance(_: str = "") -> None:
    """Let go what maintenance kept quiet and what did not clear in it."""
    over = MaintenanceWindow.unscoped.filter(ends_at__lte=timezone.now(), settled_at=None)
    for window in over.select_related("organization"):
        settle_window(window)


@task
def take_opened(action_id: str) -> None:
    """An action changed its state: the ticket that it may have opened becomes its signal's."""
    for record in _tickets_opened().filter(action_id=UUID(action_id)):
        take_ticket(record)


def _tickets_opened() -> QuerySet[ExternalRef]:
    return ExternalRef.unscoped.filter(kind=TICKET_KIND).select_related("organization", "connection")


@task
def sweep_strays(_: str = "") -> None:
    """Find the signals that stand under one which no longer stands for them, and tickets opened for a signal."""
    for record in _tickets_opened().filter(created_at__gt=timezone.now() - LOOKED_BACK):
        take_ticket(record)
    for organization in Organization.objects.all():
        settle_strays(organization)


@task(queue_name="polls")
def compare_connection(connection_id: str) -> None:
    """Compare a connection's tickets with its source."""
    connection = Connection.unscoped.select_related("organization").filter(pk=connection_id).first()
    if connection is not None and is_ticket_source(connection):
        drift.compare(connection)


@task(queue_name="polls")
def repair_connection(connection_id: str) -> None:
    """Read anew what a comparison found."""
    connection = Connection.unscoped.select_related("organization").filter(pk=connection_id).first()
    if connection is not None and is_ticket_source(connection):
        drift.repair(connection)


@task
def compare_due(_: str = "") -> None:
    """Ring for every connection that was not compared with its source for a day."""
    for organization in Organization.objects.all():
        for connection in drift.due_for_comparison(Connection.objects.for_organization(organization)):
            ring("connection.compare", str(connection.pk))


@task
def poll_all(_key: str = "") -> None:
    """Ring for every connection that tickets or alerts come from."""
    for organization in Organization.objects.all():
        for connection in Connection.objects.for_organization(organization):
            gives = is_ticket_source(connection) or takes_alerts(connection)
            if gives and connection.state != Connection.State.PAUSED:
                ring("connection.poll", str(connection.pk))


@task
def process_signal(signal_id: str) -> None:
    """Let the processors read an open signal that none has read as it is; ring where something was found."""
    signal = (
        Signal.unscoped.select_related("organization", "company", "contact", "device", "board", "connection")
        .filter(pk=UUID(signal_id), awaits_processors=True, state__in=Signal.OPEN)
        .first()
    )
    if signal is not None and run_processors(signal):
        ring("signal.processed", signal_id)


@task
def judge_again(key: str) -> None:
    """A system was connected or taken away: findings that say otherwise are read anew.

    The key is the organization's, with a colon and the finding to go on behind where the call before had not done all.
    """
    organization_id, _, after = key.partition(":")
    organization = Organization.objects.filter(pk=UUID(organization_id)).first()
    if organization is not None:
        read_anew(organization, after=after)


@task
def judge_all_again(_: str = "") -> None:
    """The same for every organization: a bell may have been lost, or a ticket been read just before it rang."""
    for organization in Organization.objects.all():
        try:
            read_anew(organization)
        except Exception:
            log.exception("findings not read anew", organization=str(organization.pk))


@task
def sweep_processors(_: str = "") -> None:
    """Find the signals of lost bells, oldest first. One that cannot be read keeps no other waiting.

    What a process that died had set aside for a question to a language model is counted as taken (I15).
    """
    lost_at = timezone.now() - LOST_AFTER
    ModelUsage.unscoped.filter(reserved=True, subject__startswith=SUBJECT, created_at__lt=lost_at).update(
        reserved=False
    )
    rows = Signal.unscoped.filter(awaits_processors=True, state__in=Signal.OPEN)
    lost = rows.filter(changed_at__lt=timezone.now() - BELL_TAKES).order_by("changed_at")
    for pk in lost.values_list("pk", flat=True)[:SWEEP_LIMIT]:
        try:
            process_signal.call(str(pk))
        except Exception:
            log.exception("signal not processed", signal=str(pk))


@task
def write_back(result_id: str) -> None:
    """Carry a value to the ticket's source, where a grant lets it; one that is away is asked by the next sweep."""
    rows = ProcessorResult.unscoped.select_related(
        "organization", "signal__organization", "signal__company", "signal__board", "signal__connection"
    )
    result = rows.filter(pk=UUID(result_id)).first()
    if result is None:
        return
    try:
        carry_back(result)
    except IntegrationError as problem:
        log.warning("value not written back yet", result=result_id, problem=str(problem))


@task
def close_cleared(signal_id: str) -> None:
    """Close the ticket of an alert that cleared, where a grant lets it; a source that is away is asked by the sweep."""
    ticket = Signal.unscoped.select_related("organization", "connection").filter(pk=UUID(signal_id)).first()
    if ticket is None:
        return
    try:
        cleared.close_cleared(ticket)
    except IntegrationError as problem:
        log.warning("ticket of a cleared alert not closed yet", ticket=signal_id, problem=str(problem))


@task
def sweep_wishes(_: str = "") -> None:
    """Find the values whose change was never asked for: the bell was lost, or the source away."""
    now = timezone.now()
    asked = Action.unscoped.filter(origin=OuterRef("pk"))
    live = Origin.unscoped.filter(~Exists(asked), kind=Origin.Kind.PROCESSOR, stopped_at=None, closed_at=None)
    lost = live.filter(created_at__lt=now - BELL_TAKES, created_at__gt=now - WISHED_FOR)
    for key in lost.order_by("created_at").values_list("key", flat=True)[:SWEEP_LIMIT]:
        if key.startswith(CLEARED):
            ring("alert.cleared", key.removeprefix(CLEARED).partition(":")[0])
        else:
            ring("result.wished", key.removeprefix("result:"))


@task
def work_on_back_test(back_test_id: str) -> None:
    """Ask a processor what it would have said."""
    advance_back_test(UUID(back_test_id))


@task
def sweep_back_tests(_: str = "") -> None:
    """Find what a lost bell or a dead worker left behind."""
    running = BackTest.unscoped.filter(state=BackTest.State.RUNNING)
    for pk in running.filter(Q(lease_until=None) | Q(lease_until__lte=Now())).values_list("pk", flat=True):
        ring("back_test.ready", str(pk))


@task
def work_on_rerun(rerun_id: str) -> None:
    """Let processors read tickets again that a person chose."""
    advance_rerun(UUID(rerun_id))


@task
def sweep_reruns(_: str = "") -> None:
    """Find what a lost bell or a dead worker left behind."""
    running = Rerun.unscoped.filter(state=Rerun.State.RUNNING)
    for pk in running.filter(Q(lease_until=None) | Q(lease_until__lte=Now())).values_list("pk", flat=True):
        ring("rerun.ready", str(pk))


@task
def keep_service_clocks(_: str = "") -> None:
    """Bring due times and counters of changed tickets up to date."""
    for organization in Organization.objects.all():
        try:
            keep_clocks(organization)
        except Exception:
            log.exception("clocks not kept", organization=str(organization.pk))


@task
def escalate_all(_: str = "") -> None:
    """Tell people of tickets that need an eye, as the rules of each organization say."""
    for organization in Organization.objects.all():
        try:
            escalate(organization)
        except Exception:
            log.exception("rules not looked at", organization=str(organization.pk))


@task
def train_due(_: str = "") -> None:
    """Ring for every processor that could learn more than it knows."""
    for organization in Organization.objects.all():
        for processor in due_for_training(organization):
            ring("processor.untrained", f"{organization.pk}:{processor.slug}")


@task
def train(key: str) -> None:
    """Train one processor of one organization; the key names both."""
    organization_id, _, slug = key.partition(":")
    organization = Organization.objects.filter(pk=UUID(organization_id)).first()
    if organization is not None:
        train_processor(organization, processor_of(slug))


@task(queue_name="polls")
def read_import(import_id: str) -> None:
    """Read on in a file that somebody started."""
    rows = TicketImport.unscoped.select_related("organization", "connection__organization")
    rows = rows.select_related("asked_by__user", "asked_by__organization")
    found = rows.filter(pk=UUID(import_id), state=TicketImport.State.RUNNING).first()
    if found is not None:
        advance_import(found)


@task
def sweep_imports(_: str = "") -> None:
    """Find what a lost bell or a dead worker left behind: running imports that nobody reads."""
    running = TicketImport.unscoped.filter(state=TicketImport.State.RUNNING)
    idle = running.filter(Q(lease_until=None) | Q(lease_until__lte=Now())).order_by("created_at")
    for import_id in idle.values_list("pk", flat=True):
        ring("import.ready", str(import_id))
