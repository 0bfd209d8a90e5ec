"""A tool that a person runs by hand on a signal: the same card, the same door, and no model (PRODUCT 6)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from agent.attention import ring_session
from agent.models import AgentSession
from agent.offering import FIND_TOOLS
from agent.services import live_session
from approvals.errors import StaleLease
from approvals.fields import Field, plain, schema_fields
from approvals.models import Action, Origin
from approvals.services import offered_tools, open_origin, propose_action
from integrations.connections import linked
from integrations.errors import IntegrationError
from integrations.models import Contact
from integrations.tools import AnyTool
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from runbooks.catalogue import LIKELY_FACTS
from signals.facts import SignalFacts, vendor_id
from signals.models import Board, Signal
from signals.opening import OPENING_TOOLS, ticket_arguments
from signals.processors.base import Lists
from signals.sync.live_lists import for_a_page, live_lists

#: So often a proposal is tried whose session went on in the same moment.
ATTEMPTS: Final = 5
#: Earlier look-ups of the company whose answers give choices, and choices of one field.
ANSWERS_READ, MOST_CHOICES = 60, 40
#: What a record of an answer is called by.
NAMES: Final = ("name", "hostname", "title", "label", "subject", "summary", "text", "email", "sign_in_name")
#: Arguments that are told by the e-mail address of one of the company's people.
BY_EMAIL: Final = frozenset({"user", "email", "user_email"})
YES_OR_NO: Final = (("true", "Yes"), ("false", "No"))


class ByHandRefused(ValueError):
    """The tool cannot be run here now; the message says why."""


@dataclass(frozen=True)
class Choice:
    """A value that an argument may take, and what people call it."""

    value: str
    label: str


@dataclass(frozen=True)
class ByHandField:
    """One argument of the form. `suggested` are records of the signal's company; `error` says what is wrong with it."""

    field: Field
    suggested: tuple[Choice, ...] = ()
    error: str = ""


def tools_by_hand(signal: Signal, *, actor: Actor) -> list[AnyTool]:
    """What `actor` may run on this signal, by name; none without its company.

    What reaches another company is for members of all companies only: a number tried there would tell a client's name.
    """
    if signal.company is None or not signal.company.is_active:
        return []
    if not actor.can(Permission.PROPOSE_ACTIONS, signal.company):
        return []
    found = offered_tools(organization=signal.organization, company=signal.company, to_person=actor.companies is None)
    return [tool for tool in found if tool.name != FIND_TOOLS]


def form_fields(
    tool: AnyTool, signal: Signal, *, facts: Mapping[str, JsonValue], known: SignalFacts
) -> list[ByHandField]:
    """The tool's arguments, filled with what the ticket tells, each with the records of the company to choose from."""
    filled = _prefilled(tool, facts, known) | _ticket_to_open(tool, signal)
    fields = [_three_valued(field, tool) for field in schema_fields(tool.schema, filled, system=tool.vendor)]
    answers = _answers(tool, signal) if any(_names_a_record(field) for field in fields) else []
    return [ByHandField(field, _suggested(field, signal, answers, system=tool.vendor)) for field in fields]


def with_input(fields: list[ByHandField], typed: Mapping[str, str], errors: Mapping[str, str]) -> list[ByHandField]:
    """The same form with what a person typed, and what is wrong with it."""
    return [
        replace(
            each,
            field=replace(each.field, value=_typed_value(each.field, typed)),
            error=errors.get(each.field.name, ""),
        )
        for each in fields
    ]


def arguments_typed(fields: list[ByHandField], typed: Mapping[str, str]) -> dict[str, JsonValue]:
    """What a person typed, as arguments: fields left empty are left out. The tool says whether they fit."""
    arguments: dict[str, JsonValue] = {}
    for each in fields:
        field, text = each.field, typed.get(each.field.name, "")
        if field.kind == "boolean":
            arguments[field.name] = bool(text)
        elif text.strip():
            arguments[field.name] = _read(field, text)
    return arguments


def run_by_hand(
    *, actor: Actor, signal: Signal, tool: AnyTool, arguments: Mapping[str, JsonValue], key: str
) -> tuple[Action, AgentSession | None]:
    """Ask for one call on a signal, in its live session where it has one. The same `key` again gives the same action.

    A look-up that may run is run at once; a change waits for its approval. A session that only prepares takes no
    changes: such a call stands on its own. Not to be called inside a transaction.

    Raises:
        PermissionDenied: `actor` may not propose actions for the signal's company.
        ByHandRefused: the signal is of no company yet, closed, or its session is over or too busy.
    """
    require(actor, Permission.PROPOSE_ACTIONS, signal.company or signal.organization)
    if signal.company is None:
        raise ByHandRefused("Nobody knows yet which company this ticket belongs to: choose it first.")
    if signal.state not in Signal.OPEN:
        raise ByHandRefused("This signal is closed: nothing is run on it any more.")
    for _ in range(ATTEMPTS):
        session = live_session(signal)
        if (action := _asked_before(signal, key)) is not None:
            return action, session if session is not None and session.origin.pk == action.origin.pk else None
        if session is not None and tool.is_write and session.origin.mode == Origin.Mode.PREPARE:
            session = None
        origin = session.origin if session is not None else _origin(signal, actor, key)
        try:
            action = propose_action(
                actor=actor,
                origin=origin,
                fence=origin.fence,
                tool_name=tool.name,
                arguments=arguments,
                call_id=f"hand.{key}",
            )
        except StaleLease:
            continue
        if session is not None:
            ring_session(session)
        return action, session
    raise ByHandRefused("The agent is at work here, or the ticket just moved: nothing was done. Try it again.")


def _asked_before(signal: Signal, key: str) -> Action | None:
    """What the same form asked for already: a session may have begun or ended between two presses."""
    rows = Action.objects.for_organization(signal.organization).select_related("origin")
    asked = rows.filter(call_id=f"hand.{key}", origin__subject=signal.origin_subject, company=signal.company)
    return asked.order_by("-created_at", "-id").first()


def _origin(signal: Signal, actor: Actor, key: str) -> Origin:
    """What a call stands on that belongs to no session."""
    if signal.company is None:
        raise ByHandRefused("This ticket belongs to no known company.")
    member = actor.membership.pk if actor.membership else actor.kind
    return open_origin(
        organization=signal.organization,
        kind=Origin.Kind.BY_HAND,
        key=f"hand:{signal.pk}:{member}:{key}",
        subject=signal.origin_subject,
        mode=Origin.Mode.BY_HAND,
        company=signal.company,
        revision=signal.revision,
    )


def _prefilled(tool: AnyTool, facts: Mapping[str, JsonValue], known: SignalFacts) -> dict[str, JsonValue]:
    """What the ticket itself tells. Numbers of the PSA's records go into the PSA's own tools alone."""
    filled: dict[str, JsonValue] = {}
    for name in tool.arguments.model_fields:
        path = LIKELY_FACTS.get(name, "")
        needed = tool.arguments.model_fields[name].is_required()  # a filter filled in would hide what is looked for
        if needed and path in facts and (tool.vendor == known.vendor or name in BY_EMAIL):
            filled[name] = facts[path]
    return filled


def _ticket_to_open(tool: AnyTool, signal: Signal) -> dict[str, JsonValue]:
    """What a run would have the ticket say that it opens for such a signal, and the priority of that name there."""
    if tool.name not in OPENING_TOOLS or signal.has_ticket or signal.company is None:
        return {}
    connection = linked(signal.organization, signal.company, tool.vendor).connection
    try:
        with for_a_page():
            priorities = live_lists(connection, None, Lists.PRIORITIES).priorities
    except IntegrationError:
        priorities = ()
    of_name = next((each.id for each in priorities if each.name == signal.priority), "")
    filled = ticket_arguments(signal, signal.company, at=connection)
    return filled | ({"priority_id": vendor_id(of_name)} if of_name else {})


def _three_valued(field: Field, tool: AnyTool) -> Field:
    """A yes or no that may be left open is a choice of three: an empty box would say no."""
    properties = tool.schema.get("properties")
    shape = properties.get(field.name) if isinstance(properties, dict) else None
    if field.kind != "boolean" or field.required or (isinstance(shape, dict) and "default" in shape):
        return field
    return replace(field, kind="enum", choices=YES_OR_NO, value="true" if field.value is True else "")


def _answers(tool: AnyTool, signal: Signal) -> list[JsonValue]:
    """What the newest look-ups in the same system answered about the signal's company."""
    rows = Action.objects.for_organization(signal.organization).filter(
        company=signal.company, tool__startswith=f"{tool.vendor}.", category="read", state=Action.State.SUCCEEDED
    )
    return list(rows.order_by("-created_at").values_list("result", flat=True)[:ANSWERS_READ])


def _suggested(field: Field, signal: Signal, answers: list[JsonValue], *, system: str) -> tuple[Choice, ...]:
    """What this argument may name: the company's people, the boards of the tool's system, and what look-ups found."""
    found: dict[str, str] = {}
    if field.name in BY_EMAIL:
        people = Contact.objects.for_organization(signal.organization).filter(company=signal.company, gone_at=None)
        found.update(people.exclude(email="").values_list("email", "name")[:MOST_CHOICES])
    if field.name == "board_id":
        boards = Board.objects.for_organization(signal.organization).filter(connection__vendor=system).order_by("name")
        found.update(boards.values_list("external_id", "name")[:MOST_CHOICES])
    group = _plural(field.name.removesuffix("_id"))
    if _names_a_record(field):
        for answer in answers:
            for row in _rows(answer, group):
                value = row.get("id") if field.name not in BY_EMAIL else row.get("sign_in_name")
                if isinstance(value, str | int) and not isinstance(value, bool):
                    found.setdefault(str(value), _name_of(row))
    return tuple(Choice(plain(value), plain(label)[:120]) for value, label in list(found.items())[:MOST_CHOICES])


def _names_a_record(field: Field) -> bool:
    return field.name.endswith("_id") or field.name in BY_EMAIL


def _plural(name: str) -> str:
    """What answers call a list of these."""
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _rows(answer: JsonValue, name: str) -> list[dict[str, JsonValue]]:
    rows = answer.get(name) if isinstance(answer, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _name_of(row: Mapping[str, JsonValue]) -> str:
    return next((str(row[name]) for name in NAMES if row.get(name)), "")


def _typed_value(field: Field, typed: Mapping[str, str]) -> str | bool:
    return bool(typed.get(field.name)) if field.kind == "boolean" else typed.get(field.name, "")


def _read(field: Field, text: str) -> JsonValue:
    if field.kind == "list":
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return [_read_one(field.item, line) for line in lines]
    return _read_one("json" if field.kind == "enum" or field.as_json else field.kind, text)


def _read_one(kind: str, text: str) -> JsonValue:
    """One value of a kind. A number that is none stays text, and the tool says what is wrong with it."""
    if kind in ("string", "text", "datetime"):
        return text
    value = _json(text.strip())
    if kind not in ("integer", "number"):
        return value
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    is_number = is_whole or (kind == "number" and isinstance(value, float) and math.isfinite(value))
    return value if is_number else text


def _json(text: str) -> JsonValue:
    """A value written as JSON; what is none stays text, and the tool says what is wrong with it."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value
