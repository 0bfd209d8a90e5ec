"""Whether a target is still what a request rests on: what of it changed, other than by what was approved beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from pydantic import JsonValue

from approvals.models import Action
from approvals.previews import StoredPreview, changed_names, differences

#: Seconds before an action was written within which its target may have been looked at.
LOOKED_WITHIN_SECONDS = 60
#: States of an action whose change may stand at the target already.
SENT = (Action.State.CLAIMED, Action.State.SUCCEEDED, Action.State.UNKNOWN, Action.State.SETTLED)


def has_news() -> Q:
    """Requests that wait while their subject has a newer revision than the one their target was last looked at for."""
    last = Coalesce(F("seen_revision"), F("revision"))
    live = Q(state=Action.State.WAITING, origin__stopped_at=None, origin__closed_at=None, origin__revision__gt=last)
    return live & ~Q(category="read")


def drift(action: Action, target_state: JsonValue) -> list[str]:
    """What of the target is not as it was when `action` was asked for, in plain sentences; empty while all holds.

    A value that another action of the same origin was approved to set meanwhile, and has been set to, is no drift:
    whoever approved that saw both. What the action itself changes must be exactly as it was shown.
    """
    asked = StoredPreview.model_validate(action.preview)
    before = asked.target_state
    if not isinstance(before, Mapping) or not isinstance(target_state, Mapping):
        return differences(before, target_state)
    changed = changed_names(before, target_state)
    beside = _set_beside(action, asked.target) if set(changed) - set(asked.sets) else []
    mine = {
        name: target_state.get(name)
        for name in changed
        if name not in asked.sets and any(name in sets and sets[name] == target_state.get(name) for sets in beside)
    }
    return differences({**before, **mine}, target_state)


def _set_beside(action: Action, target: str) -> list[Mapping[str, JsonValue]]:
    """What the other actions of the origin that were sent since then set at the same target."""
    since = action.created_at - timedelta(seconds=LOOKED_WITHIN_SECONDS)
    others = Action.objects.for_organization(action.organization).filter(
        origin=action.origin_id, state__in=SENT, claimed_at__gte=since
    )
    kept = [StoredPreview.model_validate(preview) for preview in others.values_list("preview", flat=True) if preview]
    return [preview.sets for preview in kept if preview.target == target]
