"""The standing approval under which a processor's values go to the ticket's source, and who answers for it.

It says which tool, which fields, which values, on which boards, how sure and how often. Any change of a processor's
settings ends it; whoever saves them with the write-back on gives a new one, in the words that its page shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from pydantic import JsonValue

from approvals.models import Grant
from approvals.services import GrantDraft, NotYours, issue_grants, revoke_grants
from integrations.errors import IntegrationError
from integrations.models import Connection
from integrations.services import is_ticket_source
from integrations.tools import registry
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.models import Board, ProcessorSetting
from signals.processing.plans import Plan, plan_of
from signals.processors.base import AnyProcessor, WriteBackOptions
from signals.sync.live_lists import live_lists

_ARGUMENT_WORDS = {"type_id": "type", "subtype_id": "subtype", "item_id": "item", "priority_id": "priority"}


class NotGranted(Exception):
    """No standing approval could be given; the message says why, and that changes wait for a person."""


@dataclass(frozen=True)
class GrantShown:
    """A standing approval on screen."""

    words: str
    by: str
    since: datetime


def grants_of(organization: Organization, processor: AnyProcessor) -> TenantQuerySet[Grant]:
    """Those in force, with who answers for them."""
    rows: TenantQuerySet[Grant] = Grant.objects.for_organization(organization)
    mine = rows.filter(kind=Grant.Kind.PROCESSOR, step=processor.slug, revoked_at=None)
    return mine.select_related("issued_by__user", "organization", "company").order_by("issued_at", "id")


def grants_shown(organization: Organization, processor: AnyProcessor) -> list[GrantShown]:
    """Those in force, in words."""
    return [
        GrantShown(words=grant.words, by=grant.issued_by.user.display_name, since=grant.issued_at)
        for grant in grants_of(organization, processor)
    ]


def end_grants(actor: Actor, processor: AnyProcessor, *, reason: str) -> None:
    """From now on every change of this processor's waits for a person."""
    if processor.writes:
        revoke_grants(actor=actor, grants=grants_of(actor.organization, processor), reason=reason)


def renew_grants(*, actor: Actor, processor: AnyProcessor) -> None:
    """Give the standing approvals that the settings ask for, in place of those there are; `actor` answers for them.

    Where the write-back is off, or the processor, those there are end. Not to be called inside a transaction: the lists
    of the source are read.

    Raises:
        PermissionDenied: `actor` may not manage processors.
        NotGranted: the lists cannot be read, or `actor` may not decide such a change wherever it would be made.
    """
    require(actor, Permission.MANAGE_PROCESSORS)
    if not processor.writes:
        return
    wanted = _wanted(actor.organization, processor)
    problem = ""
    try:
        drafts = [
            draft
            for company, plan in wanted
            for tool in processor.writes
            if (draft := _draft(actor.organization, plan, company, tool))
        ]
        problem = "" if drafts or not wanted else "No connected system takes such a change, or none is set here."
    except IntegrationError as trouble:
        drafts, problem = [], str(trouble)
    try:
        with transaction.atomic():
            end_grants(actor, processor, reason="Its settings were saved anew.")
            issue_grants(actor=actor, drafts=drafts)
    except NotYours as refusal:
        end_grants(actor, processor, reason="Its settings were saved anew.")
        problem = str(refusal)
    if problem:
        raise NotGranted(f"{problem} Until this is saved again, each change waits for a person.")


def _wanted(organization: Organization, processor: AnyProcessor) -> list[tuple[Company | None, Plan]]:
    """Where values go back: everywhere, and at the companies that have it otherwise."""
    rows = ProcessorSetting.objects.for_organization(organization).filter(processor=processor.slug)
    special = [row.company for row in rows.exclude(company=None).select_related("company")]
    found = []
    for company in (None, *special):
        plan = plan_of(organization, processor, company)
        options = plan.options
        if plan.enabled and isinstance(options, WriteBackOptions) and options.write_back:
            found.append((company, plan))
    return found


def _draft(organization: Organization, plan: Plan, company: Company | None, writes: str) -> GrantDraft | None:
    connection = _source(organization, writes)
    if connection is None:
        return None
    boards = _boards(connection, plan)
    values = _values(connection, boards, plan, writes)
    if not any(values.values()):
        return None
    tool = registry.get(f"{connection.vendor}.{writes}")
    return GrantDraft(
        kind="processor",
        tool=tool,
        words=_words(plan, writes, boards, values, company),
        rules=_rules(plan, boards, values),
        company=company,
        step=plan.processor.slug,
        max_count=None,
    )


def _source(organization: Organization, writes: str) -> Connection | None:
    """The connection that tickets come from and that takes the change."""
    connections: TenantQuerySet[Connection] = Connection.objects.for_organization(organization)
    for connection in connections.exclude(state=Connection.State.PAUSED):
        if is_ticket_source(connection) and f"{connection.vendor}.{writes}" in registry:
            return connection
    return None


def _boards(connection: Connection, plan: Plan) -> list[Board]:
    boards = Board.objects.for_organization(connection.organization).filter(connection=connection)
    return list(boards.filter(pk__in=plan.boards) if plan.boards else boards)


def _values(connection: Connection, boards: Sequence[Board], plan: Plan, writes: str) -> dict[str, list[JsonValue]]:
    """Every value of each argument, on these boards. Raises IntegrationError."""
    found: dict[str, list[JsonValue]] = {}
    if plan.processor.lists is None:
        return found
    for board in boards:
        lists = live_lists(connection, board, plan.processor.lists)
        for name, values in plan.processor.grantable(writes, lists, plan.options).items():
            found.setdefault(name, []).extend(value for value in values if value not in found.get(name, ()))
    return found


def _rules(
    plan: Plan, boards: Sequence[Board], values: Mapping[str, list[JsonValue]]
) -> dict[str, Mapping[str, JsonValue]]:
    to_set, to_change = (getattr(plan.options, name) for name in plan.processor.thresholds)
    return {
        "ticket_id": {"kind": "fact", "path": "ticket.id"},
        **{name: {"kind": "enum", "values": allowed} for name, allowed in values.items()},
        **{
            f"?{path}": {"kind": "among", "path": path, "values": list(allowed)}
            for path, allowed in plan.processor.grant_limits(plan.options).items()
        },
        "?board": {"kind": "among", "path": "ticket.board", "values": [str(board.pk) for board in boards]},
        "?confidence": {"kind": "at_least", "path": "confidence", "value": to_set},
        "?confidence_to_change": {"kind": "at_least", "path": "confidence_to_change", "value": to_change},
        "?per_day": {"kind": "per_day", "value": _most_a_day(plan)},
    }


def _words(
    plan: Plan, writes: str, boards: Sequence[Board], values: Mapping[str, list[JsonValue]], company: Company | None
) -> str:
    to_set, to_change = (getattr(plan.options, name) for name in plan.processor.thresholds)
    fields = ", ".join(f"{_ARGUMENT_WORDS.get(name, name)} ({len(allowed)} values)" for name, allowed in values.items())
    where = f"{', '.join(board.name for board in boards)}{f', of {company.name}' if company else ''}"
    if own := plan.processor.grant_words(writes, plan.options):
        most = f"at most {_most_a_day(plan)} times a day"
        return f"{plan.processor.label}, of tickets on {where}: may {own}; with a confidence of {to_set:.2f}, {most}."
    return (
        f"{plan.processor.label} may set {fields} of tickets on {where}: where the field is empty with a confidence of "
        f"{to_set:.2f}, over another value with {to_change:.2f}; at most {_most_a_day(plan)} times a day."
    )


def _most_a_day(plan: Plan) -> int:
    return plan.options.most_a_day if isinstance(plan.options, WriteBackOptions) else 0
