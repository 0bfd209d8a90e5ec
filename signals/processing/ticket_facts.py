"""A ticket as processors read it, gathered from its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.utils import timezone

from integrations.models import Connection, Contact, Device
from integrations.toolbox import toolbox
from junto.tenants.models import Company, Organization
from signals.models import Signal, SignalNote
from signals.processors.base import Known, NoteText, TicketFacts

#: People and devices of a company that are compared with a ticket's words; more would be a list to search elsewhere.
MOST_KNOWN = 1000
MOST_NOTES = 200


def ticket_facts(signal: Signal) -> TicketFacts:
    """All that processors may know of it: five queries, and the signal's own relations."""
    people, devices = people_and_devices(signal.company)
    tools = connected_tools(signal.organization)
    return own_facts(signal, people=people, devices=devices, tools=tools, notes=notes(signal))


def facts_of_words(text: str, organization: Organization, company: Company | None) -> TicketFacts:
    """Words that were typed, as a ticket of that company (None: of none); the first line is the title."""
    title, _, rest = text.partition("\n")
    now = timezone.now()
    people, devices = people_and_devices(company)
    return TicketFacts(
        subject=title[:300],
        description=rest,
        revision=0,
        created_at=now,
        updated_at=now,
        company=company.name if company else "",
        people=people,
        devices=devices,
        tools=connected_tools(organization),
    )


def people_and_devices(company: Company | None) -> tuple[tuple[Known, ...], tuple[Known, ...]]:
    """Those that are known at the company, of very many the first; none without one."""
    if company is None:
        return (), ()
    contacts = Contact.objects.for_organization(company.organization).filter(company=company)[:MOST_KNOWN]
    machines = Device.objects.for_organization(company.organization).filter(company=company)[:MOST_KNOWN]
    return (
        tuple(Known(id=str(each.pk), name=each.name, detail=each.email) for each in contacts),
        tuple(Known(id=str(each.pk), name=each.name, detail=each.kind) for each in machines),
    )


def connected_tools(organization: Organization) -> dict[str, list[str]]:
    """The tools of the systems that are connected, paused ones too, and our own: by system their names."""
    rows = Connection.objects.for_organization(organization).filter(removed_at=None)
    tools: dict[str, list[str]] = {}
    for tool in toolbox(organization).offered(set(rows.values_list("vendor", flat=True))):
        tools.setdefault(tool.vendor, []).append(tool.name)
    return tools


def own_facts(
    signal: Signal,
    *,
    people: tuple[Known, ...] = (),
    devices: tuple[Known, ...] = (),
    tools: Mapping[str, Collection[str]] | None = None,
    notes: tuple[NoteText, ...] = (),
) -> TicketFacts:
    """What stands on the signal's own row and its relations; the rest as given."""
    contact, device, board = signal.contact, signal.device, signal.board
    return TicketFacts(
        subject=signal.subject,
        description=signal.description,
        revision=signal.revision,
        created_at=signal.source_created_at,
        updated_at=signal.source_updated_at,
        notes=notes,
        company=signal.company.name if signal.company else "",
        contact=Known(id=str(contact.pk), name=contact.name, detail=contact.email) if contact else None,
        device=Known(id=str(device.pk), name=device.name, detail=device.kind) if device else None,
        board=board.name if board else "",
        board_id=str(board.pk) if board else "",
        priority=signal.priority,
        status=signal.source_status,
        type=signal.type,
        subtype=signal.subtype,
        item=signal.item,
        assignee=signal.assignee,
        alert_type=signal.alert_type,
        people=people,
        devices=devices,
        tools=tools or {},
    )


def notes(signal: Signal) -> tuple[NoteText, ...]:
    """Its notes, oldest first; of very many the newest."""
    every = SignalNote.objects.for_organization(signal.organization).filter(signal=signal)
    rows = every.of_company_now().order_by("-written_at", "-external_id")[:MOST_NOTES]
    return tuple(
        NoteText(
            author=row.author,
            text=row.text,
            internal=row.internal,
            written_at=row.written_at,
            by_client=row.by_client,
        )
        for row in reversed(rows)
    )
