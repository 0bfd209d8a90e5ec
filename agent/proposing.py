"""An action that another system asks for through the API: one call on one signal, under the policies in force."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pydantic import JsonValue

from approvals.errors import StaleLease
from approvals.models import Action, Origin
from approvals.services import open_origin, propose_action
from integrations.errors import IntegrationError
from integrations.toolbox import toolbox
from junto.canonical import NotCanonical, digest
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.models import Signal

#: The one call of such an origin.
CALL = "api.1"


class ProposalRefused(ValueError):
    """Nothing can be proposed on this signal; the message says why."""


class KeyReused(ValueError):
    """The key came with another call before."""


def propose_by_token(
    *, actor: Actor, signal: Signal, key: str, tool: str, arguments: Mapping[str, JsonValue]
) -> Action:
    """Ask for one call on a signal. The same key again gives the action there is, whatever became of it.

    A read, and a write whose policy is auto, runs; everything else waits for a person. No grant of a session, a
    runbook or a processor covers it. Not to be called inside a transaction.

    Raises:
        PermissionDenied: the token may not propose actions.
        ProposalRefused: the signal has no company yet, is closed, or moved while this was asked.
        KeyReused: the token used this key on this signal for another call.
    """
    require(actor, Permission.PROPOSE_ACTIONS, signal.company or signal.organization)
    origin_key = _origin_key(actor, signal, key)
    origins = Origin.objects.for_organization(signal.organization).select_related("company", "organization")
    known = Action.objects.reached_by(actor).filter(
        origin__in=origins.filter(kind=Origin.Kind.BY_HAND, key=origin_key), replaces=None
    )
    made = known.first()
    if made is not None:
        return _same(made, tool, arguments)
    if signal.company is None:
        raise ProposalRefused("This signal belongs to no known company yet: a person must choose it first.")
    if signal.state not in Signal.OPEN:
        raise ProposalRefused("This signal is closed.")
    origin = open_origin(
        organization=signal.organization,
        kind=Origin.Kind.BY_HAND,
        key=origin_key,
        subject=signal.origin_subject,
        mode=Origin.Mode.BY_HAND,
        company=signal.company,
        revision=signal.revision,
    )
    try:
        action = propose_action(
            actor=actor, origin=origin, fence=origin.fence, tool_name=tool, arguments=arguments, call_id=CALL
        )
    except StaleLease:
        raise ProposalRefused("The ticket has moved to another company or is gone: use a new key.") from None
    return _same(action, tool, arguments)


def _origin_key(actor: Actor, signal: Signal, key: str) -> str:
    told = "\0".join((str(actor.token_id), str(signal.pk), key))
    return f"api:{hashlib.sha256(told.encode()).hexdigest()}"


def _same(action: Action, tool: str, arguments: Mapping[str, JsonValue]) -> Action:
    """The action, if this is what was asked for by it. Raises KeyReused."""
    try:
        asked = digest(toolbox(action.organization).get(tool).freeze(arguments))
    except IntegrationError:
        # such a call was kept as it came
        return action if (action.tool, action.arguments) == (tool[:120], dict(arguments)) else _reused()
    except NotCanonical:
        return action if action.tool == tool[:120] else _reused()
    return action if (action.tool, action.digest) == (tool, asked) else _reused()


def _reused() -> Action:
    raise KeyReused("This key came with another call on this signal before: use a new key for a new call.")
