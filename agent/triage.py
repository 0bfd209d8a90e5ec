"""What the triage page shows around the chat: the ticket, the runbook, company, devices and similar signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from agent.findings import findings_of
from agent.models import AgentSession, Instruction
from agent.runs import run_view
from agent.solutions import sees_elsewhere, similar_rows
from approvals.models import Action
from integrations.llm.fencing import show_escaped
from integrations.marks import without_marks
from integrations.models import Device
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from runbooks.matching import Match, match_signal
from signals.intake.folding import Occurrence, occurrences
from signals.intake.suggesting import suggest_companies
from signals.listing import neighbours, with_a_fix
from signals.merging import merged_into
from signals.models import Signal, SignalNote, SignalTime
from signals.processing.findings import ticket_findings
from signals.service.attention import promised
from signals.service.escalation import history_of
from signals.service.hours import hours_of, zone_of
from signals.services import CLOSABLE, joined_ticket
from signals.words import state_word

#: Rows shown in the side panes; the lists themselves are pages of their own.
PEOPLE_SHOWN = 12
REPEATS_SHOWN = 20
ALERTS_SHOWN = 3
DEVICES_SHOWN = 30


def find_signal(actor: Actor, signal_id: UUID) -> Signal:
    """The signal with what its pages show beside it. Raises Http404 for one that `actor` may not see, as for none."""
    rows = Signal.objects.visible_to(actor).select_related(
        "organization", "company", "board", "contact", "device", "connection"
    )
    found: Signal | None = rows.filter(pk=signal_id).first()
    if found is None:
        raise Http404("There is no such signal.")
    return found


def ticket_pane(signal: Signal, *, actor: Actor) -> dict[str, Any]:
    """Context of agent/_ticket.html."""
    may_run = signal.company is not None and actor.can(Permission.RUN_SESSIONS, signal.company)
    unmapped = signal.company is None and signal.state in Signal.OPEN
    notes = SignalNote.objects.for_organization(signal.organization).filter(signal=signal)
    return {
        "signal": _ticket(signal),
        "notes": [
            {
                "author": show_escaped(note.author),
                "at": note.written_at,
                "body": show_escaped(without_marks(note.text)),
                "internal": note.internal,
            }
            for note in notes.shown_to(actor).order_by("written_at")
        ],
        **ticket_findings(signal, actor=actor),
        **_time_and_files(signal, actor),
        **_repeats(signal),
        "alerts": _alerts(signal),
        "may_part": _may_part(signal, actor),
        "unmapped": unmapped,
        "suggestions": _suggestions(signal, actor) if unmapped else [],
        "companies": list(Company.objects.visible_to(actor)) if unmapped else [],
        "may_map": unmapped and actor.can(Permission.RUN_SESSIONS),
        "may_close": may_run and signal.state in CLOSABLE,
        "must_end_first": may_run and signal.state == Signal.State.TRIAGING,
        "over": _over(signal, actor),
        "history": history_of(signal, actor=actor),
        "promised": promised(signal, now=timezone.now()),
        "zone": zone_of(hours_of(signal.organization).time_zone).key,
        "back_path": reverse("signals"),
        "neighbours": neighbours(actor, signal),
        "urls_signal": {
            "map_company": reverse("signal-map-company", args=[signal.pk]),
            "resolve": reverse("signal-resolve", args=[signal.pk]),
            "part": reverse("signal-part", args=[signal.pk]),
            "dismiss": reverse("signal-dismiss", args=[signal.pk]),
            "choose_runbook": reverse("signal-choose-runbook", args=[signal.pk]),
            "tools": reverse("signal-tools", args=[signal.pk]),
        },
    }


def _over(signal: Signal, actor: Actor) -> dict[str, str] | None:
    """What became of a ticket that was deleted or merged, with where its work goes on; None for any other."""
    if signal.state == Signal.State.GONE:
        return {"words": "This ticket was deleted at its source. What was known of it stays here to read."}
    if signal.state != Signal.State.MERGED or signal.folded_into_id is not None:
        return None  # what repeats another says so itself
    other = merged_into(signal, actor=actor)
    return {
        "words": show_escaped(signal.state_reason) or "This ticket was merged into another.",
        "path": reverse("signal", args=[other.pk]) if other else "",
        "name": show_escaped(str(other)) if other else "",
    }


def _suggestions(signal: Signal, actor: Actor) -> list[dict[str, Any]]:
    """Companies that a ticket without one may belong to, for whoever may say which."""
    if not actor.can(Permission.RUN_SESSIONS):
        return []
    found = suggest_companies(signal, actor=actor)
    return [{"id": one.company.pk, "name": one.company.name, "reason": show_escaped(one.reason)} for one in found]


def _time_and_files(signal: Signal, actor: Actor) -> dict[str, Any]:
    """What was booked on the ticket and which files hang on it, as its source told."""
    times = SignalTime.objects.for_organization(signal.organization).filter(signal=signal)
    booked = list(times.shown_to(actor).order_by("started_at", "external_id"))
    return {
        "time_entries": [
            {
                "member": show_escaped(entry.member),
                "at": entry.started_at,
                "length": hours_and_minutes(entry.minutes),
                "billable": entry.billable,
                "text": show_escaped(without_marks(entry.text)),
            }
            for entry in booked
        ],
        "time_total": hours_and_minutes(sum(entry.minutes for entry in booked)),
        "attachments": [
            {"name": show_escaped(file.name), "size": file.size, "at": file.added_at}
            for file in signal.attachments.all()
        ],
    }


def _repeats(signal: Signal) -> dict[str, Any]:
    """How often the condition was told, and when; what this signal itself repeats, and why it is quiet."""
    number, told = occurrences(signal, most=REPEATS_SHOWN) if signal.alert_type else (1, [])
    head = signal.folded_into
    return {
        "told_often": number,
        "occurrences": [_occurrence(one) for one in told] if number > 1 else [],
        "repeats_path": reverse("signal", args=[head.pk]) if head else "",
        "repeats_words": show_escaped((head.number and f"signal {head.number}") or f"“{head.subject}”") if head else "",
        "repeats_other_side": head is not None and head.connection_id != signal.connection_id,
        "quiet_words": show_escaped(signal.state_reason) if signal.alert_type and signal.company and not head else "",
    }


def _alerts(signal: Signal) -> list[dict[str, Any]]:
    """The alerts that this ticket was opened for here, as their monitoring told them."""
    if not signal.has_ticket or not signal.alert_type:
        return []
    rows = Signal.objects.for_organization(signal.organization).filter(ticket=signal, company=signal.company)
    rows = rows.exclude(alert_type="").exclude(connection=None).select_related("connection")
    return [
        {
            "subject": show_escaped(one.subject),
            "description": show_escaped(one.description),
            "priority_name": show_escaped(one.priority),
            "source": show_escaped(one.connection.label) if one.connection else "",
            "raised_at": one.source_created_at,
            "cleared_at": one.source_updated_at if one.closed_at_source else None,
            "path": reverse("signal", args=[one.pk]),
        }
        for one in rows.order_by("-source_created_at")[:ALERTS_SHOWN]
    ]


def _occurrence(one: Occurrence) -> dict[str, Any]:
    ticket = f"ticket {one.number}" if one.number else "alert"
    name = f"{ticket.capitalize()} of {one.source}" if one.source else one.number
    return {**one._asdict(), "name": show_escaped(name), "path": reverse("signal", args=[one.signal_id])}


def _may_part(signal: Signal, actor: Actor) -> bool:
    """Whether the actor may say that it is not what it was folded into."""
    folded = signal.folded_into_id is not None and signal.state == Signal.State.MERGED and signal.connection is not None
    return folded and signal.company is not None and actor.can(Permission.RUN_SESSIONS, signal.company)


def hours_and_minutes(minutes: int) -> str:
    """`1 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else ""]))


def context_pane(
    signal: Signal, session: AgentSession | None, *, actor: Actor, rows: Sequence[Action]
) -> dict[str, Any]:
    """Context of agent/_context.html."""
    matches = match_signal(signal) if signal.company is not None else []
    chosen = session.runbook_id if session else None
    return {
        "session_live": session is not None and session.is_live,
        "findings": findings_of(rows, ticket=signal.external_id),
        "runbook": _runbook(session, actor),
        "matches": [_match(match, chosen=match.runbook.pk == chosen) for match in matches],
        "company": _company(signal, actor),
        "contacts": _contacts(signal, actor),
        "devices": _devices(signal, actor),
        "similar": similar_rows(signal),
        "elsewhere_path": reverse("signal-elsewhere", args=[signal.pk]) if sees_elsewhere(signal, actor) else "",
    }


def _ticket(signal: Signal) -> dict[str, Any]:
    word = state_word(signal, has_fix=bool(with_a_fix([signal])))
    return {
        "id": signal.pk,
        "external_id": signal.number,
        "joined": _joined(signal),
        "subject": show_escaped(signal.subject),
        "priority": signal.priority_number or "",
        "priority_name": show_escaped(signal.priority),
        "icon": word.icon,
        "tone": word.tone,
        "state_word": word.word,
        "company_name": show_escaped(signal.company.name) if signal.company else "",
        "company_ended": signal.company is not None and not signal.company.is_active,
        "company_external_id": show_escaped(signal.company_external_id),
        "contact_external_id": show_escaped(signal.contact_external_id),
        "state_reason": show_escaped(signal.state_reason) if signal.company is None else "",
        "left_out": show_escaped(signal.left_out),
        "contact_name": show_escaped(signal.contact.name) if signal.contact else "",
        "device_names": show_escaped(signal.device.name) if signal.device else "",
        "board_name": show_escaped(signal.board.name) if signal.board else "",
        "type_name": show_escaped(", ".join(filter(None, [signal.type, signal.subtype, signal.item]))),
        "status": show_escaped(signal.source_status),
        "assignee": show_escaped(signal.assignee),
        "created_at": signal.source_created_at,
        "description": show_escaped(signal.description),
    }


def _joined(signal: Signal) -> dict[str, str] | None:
    """The ticket that another system opened for the same problem, of a signal that has none of its own."""
    ticket = None if signal.has_ticket or not signal.alert_type else joined_ticket(signal)
    if ticket is None or ticket.connection is None:
        return None
    path = reverse("signal", args=[ticket.pk])
    return {"number": show_escaped(ticket.number), "system": show_escaped(ticket.connection.label), "path": path}


def _match(match: Match, *, chosen: bool) -> dict[str, Any]:
    return {
        "id": match.runbook.pk,
        "title": match.title,
        "path": reverse("runbook", args=[match.runbook.pk]),
        "run_path": reverse("runbook-run", args=[match.runbook.pk]),
        "score": match.score,
        "reason": match.reason,
        "above_threshold": match.above_threshold,
        "chosen": chosen,
    }


def _runbook(session: AgentSession | None, actor: Actor) -> dict[str, Any] | None:
    if session is None or session.runbook is None or session.runbook_record is None:
        return None
    run = run_view(session, actor=actor)
    return {
        "run": run,
        "title": run.title if run else "",
        "path": reverse("runbook", args=[session.runbook_id]),
        "score": session.runbook_score,
        "version": session.runbook_number,
        "audience": run.audience if run else "",
        "run_path": run.path if run and run.is_run else "",
        "start_path": f"{reverse('runbook-run', args=[session.runbook_id])}?signal={session.signal_id}",
    }


def _company(signal: Signal, actor: Actor) -> dict[str, Any] | None:
    company = signal.company
    if company is None:
        return None
    links = company.links.select_related("connection")
    open_signals = Signal.objects.visible_to(actor).filter(company=company, state__in=Signal.OPEN).count()
    instructions = Instruction.objects.for_organization(signal.organization).filter(
        Q(company=None) | Q(company=company)
    )
    return {
        "name": company.name,
        "facts": [
            ("People", company.contacts.filter(gone_at=None).count()),
            ("Devices", company.devices.filter(gone_at=None).count()),
            ("Open signals", open_signals),
            ("Linked to", ", ".join(link.connection.label for link in links)),
        ],
        "instructions": "\n".join(row.text for row in instructions),
    }


def _contacts(signal: Signal, actor: Actor) -> list[dict[str, str]]:
    if signal.company is None:
        return []
    people = signal.company.contacts.filter(gone_at=None).order_by("name")[:PEOPLE_SHOWN]
    return [
        {
            "name": show_escaped(person.name),
            "detail": show_escaped(", ".join(filter(None, [person.title, person.email, person.phone]))),
        }
        for person in people
    ]


def _devices(signal: Signal, actor: Actor) -> list[dict[str, Any]]:
    if signal.company is None:
        return []
    rows = (
        Device.objects.visible_to(actor).filter(company=signal.company, gone_at=None).order_by("name")[:DEVICES_SHOWN]
    )
    own = signal.device_id
    return [
        {
            "name": show_escaped(row.name),
            "kind": show_escaped(", ".join(filter(None, [row.kind, row.operating_system]))),
            "state_word": "On this ticket" if row.pk == own else "",
            "tone": "",
            "icon": "tag" if row.pk == own else "",
        }
        for row in sorted(rows, key=lambda row: (row.pk != own, row.name))
    ]
