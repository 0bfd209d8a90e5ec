"""What a processor wrote at the ticket's source: shown, and put back by a person with one press."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Q
from pydantic import JsonValue

from approvals.models import Action, Origin
from approvals.previews import StoredPreview
from approvals.services import DecisionRefused, Verdict, decide_action, open_origin, propose_action
from integrations.llm.fencing import show_escaped
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from signals.facts import vendor_id
from signals.models import ProcessorResult
from signals.write_back.wishes import PUT_BACK, WRITE_BACK

State = Action.State
_DONE = (State.SUCCEEDED, State.SETTLED)
#: An attempt that ended so changed nothing at the source: another may be made.
_CAME_TO_NOTHING = (
    State.REFUSED,
    State.FAILED,
    State.DENIED,
    State.EXPIRED,
    State.DRIFTED,
    State.CANCELLED,
)


def writings(organization: Organization, results: Collection[UUID]) -> dict[UUID, Action]:
    """The actions by which these values went to the source, or were to go, by the value's id."""
    keys = {f"result:{pk}": pk for pk in results}
    rows = Action.objects.for_organization(organization).filter(
        origin__kind=Origin.Kind.PROCESSOR, origin__key__in=keys, call_id=WRITE_BACK
    )
    rows = rows.select_related("origin", "grant__issued_by__user").prefetch_related("decisions__membership__user")
    # a person's changed version stands for the call it replaced
    return {keys[row.origin.key]: row for row in rows.order_by("created_at")}


def writing_words(action: Action) -> str:
    """What became of it, and who answers for it, in a sentence."""
    state = action.state
    if state in _DONE and action.settled_done is not False:
        return f"Written to the PSA {_under(action)}."
    if state in (State.APPROVED, State.CLAIMED):
        return "Being written to the PSA."
    if state == State.WAITING:
        return f"Waits for a person’s approval to be written to the PSA. {action.why_asked}".strip()
    if state == State.UNKNOWN:
        return "Sent to the PSA, but no clear answer came back."
    return f"Not written to the PSA. {show_escaped(action.reason)}".strip()


def attempts(organization: Organization, results: Collection[UUID]) -> dict[UUID, Action]:
    """The last attempt to put each of these values back at the source, by the value's id."""
    rows = Action.objects.for_organization(organization).filter(
        origin__kind=Origin.Kind.BY_HAND, origin__key__startswith=PUT_BACK, call_id="put-back"
    )
    asked = Q()
    for pk in results:
        asked |= Q(origin__key__startswith=f"{PUT_BACK}{pk}")
    found = rows.filter(asked).select_related("origin").order_by("created_at") if results else ()
    # a person's changed version stands for the call it replaced
    return {UUID(row.origin.key.split(":")[1]): row for row in found}


def came_to_nothing(action: Action) -> bool:
    """Whether an attempt left the source as it was, so that a person may try anew."""
    return action.state in _CAME_TO_NOTHING or (action.state == State.SETTLED and action.settled_done is False)


def put_back(*, result: ProcessorResult, actor: Actor) -> Action | None:
    """Set the fields that `result` changed at the source to what they were; None where it changed none.

    The person who asks for it decides it too, where they may; else it waits for one who may. REFUSED where somebody
    changed the fields since. Asked for again it is the same action, unless that came to nothing: then it is tried anew.
    Not to be called inside a transaction.

    Raises:
        PermissionDenied: `actor` may not propose actions for the ticket's company.
    """
    written = writings(result.organization, [result.pk]).get(result.pk)
    if written is None or written.state not in _DONE or written.settled_done is False:
        return None
    preview = StoredPreview.model_validate(written.preview)
    arguments = _former(preview)
    if not arguments:
        return None
    signal = result.signal
    company = signal.company or written.company  # where a route moved it, it is the new one's by now
    origin = open_origin(
        organization=result.organization,
        kind=Origin.Kind.BY_HAND,
        key=_next_key(result),
        subject=signal.origin_subject,
        mode=Origin.Mode.BY_HAND,
        company=company,
        revision=signal.revision,
    )
    action = propose_action(
        actor=actor,
        origin=origin,
        fence=origin.fence,
        tool_name=written.tool,
        arguments={"ticket_id": vendor_id(signal.external_id), **arguments},
        call_id="put-back",
        expects={name: _name(entry) for name, entry in preview.sets.items()},
    )
    if action.state != State.WAITING:
        return action
    try:
        return decide_action(action_id=action.pk, actor=actor, verdict=Verdict.APPROVE, digest=action.digest)
    except DecisionRefused:
        return action


def _next_key(result: ProcessorResult) -> str:
    """The key of the attempt that goes on, or of a new one; two presses at once give one."""
    last = attempts(result.organization, [result.pk]).get(result.pk)
    if last is None:
        return f"{PUT_BACK}{result.pk}"
    if not came_to_nothing(last):
        return last.origin.key
    number = int(last.origin.key.split(":")[2]) if last.origin.key.count(":") > 1 else 1
    return f"{PUT_BACK}{result.pk}:{number + 1}"


def _former(preview: StoredPreview) -> dict[str, JsonValue]:
    """Arguments that set each changed field to what it was."""
    before = preview.target_state if isinstance(preview.target_state, Mapping) else {}
    arguments: dict[str, JsonValue] = {}
    emptied: list[JsonValue] = []
    for name in preview.sets:
        entry = before.get(name)
        if isinstance(entry, Mapping) and entry.get("id"):
            arguments[f"{name}_id"] = entry["id"]
        else:
            emptied.append(name)
    return {**arguments, "empty": emptied} if emptied else arguments


def _name(entry: JsonValue) -> str:
    return str(entry.get("name", "")) if isinstance(entry, Mapping) else ""


def _under(action: Action) -> str:
    if action.grant is not None:
        return f"under the standing approval that {show_escaped(action.grant.issued_by.user.display_name)} gave"
    people = ", ".join(show_escaped(decision.membership.user.display_name) for decision in action.decisions.all())
    return f"after approval by {people}" if people else "by policy"
