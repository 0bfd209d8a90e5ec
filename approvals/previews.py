"""What a write would do, as it is kept with its action and drawn on its card."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, JsonValue

from integrations.tools import Change, Preview
from junto.canonical import digest

#: Lines of what changed that a withdrawn card shows.
MAX_DIFFERENCES = 6
#: Characters of a value in such a line.
MAX_VALUE = 200


class StoredPreview(BaseModel):
    """A `Preview` as JSON. `target_state` is what the decision rests on; its digest is the action's `target_digest`."""

    model_config = ConfigDict(frozen=True)

    title: str = ""
    target: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()
    seen_by: str = ""
    undo: str = ""
    evidence: tuple[str, ...] = ()
    target_state: JsonValue = None

    @classmethod
    def of(cls, preview: Preview) -> StoredPreview:
        """What is kept of a preview."""
        return cls(
            title=preview.title,
            target=preview.target,
            changes=tuple((change.label, change.before, change.after) for change in preview.changes),
            seen_by=preview.seen_by,
            undo=preview.undo,
            evidence=preview.evidence,
            target_state=preview.target_state,
        )

    @property
    def target_digest(self) -> str:
        """SHA-256 over the target's state."""
        return digest(self.target_state)

    def as_change_list(self) -> tuple[Change, ...]:
        """Before and after, line by line."""
        return tuple(Change(*line) for line in self.changes)


def differences(before: JsonValue, now: JsonValue) -> list[str]:
    """What is different at a target, in plain sentences, one a value."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return ["The target is not as it was when this was asked."] if before != now else []
    lines = []
    for name in sorted({*before, *now}):
        was, now_is = before.get(name), now.get(name)
        if was != now_is:
            lines.append(f"{name.replace('_', ' ').capitalize()} was {_plain(was)}, and is now {_plain(now_is)}.")
    return lines[:MAX_DIFFERENCES]


def _plain(value: JsonValue) -> str:
    if value is None or value == "":
        return "empty"
    text = value if isinstance(value, str) else str(value)
    return f"“{text[:MAX_VALUE]}”"
