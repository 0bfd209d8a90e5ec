"""What a write would do, as it is kept with its action and drawn on its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from integrations.tools import Change, Preview
from junto.canonical import digest

#: Lines of what changed that a withdrawn card shows.
MAX_DIFFERENCES = 6
#: Characters of a value in such a line.
MAX_VALUE = 200


class StoredPreview(BaseModel):
    """A `Preview` as JSON. `target_state` is what the decision rests on; its digest is the action's `target_digest`.

    `filled_in` are arguments that Junto adds as it sends the call. A look-up that is asked for has these alone.
    """

    model_config = ConfigDict(frozen=True)

    title: str = ""
    target: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()
    seen_by: str = ""
    undo: str = ""
    evidence: tuple[str, ...] = ()
    target_state: JsonValue = None
    sets: Mapping[str, JsonValue] = {}
    filled_in: Mapping[str, JsonValue] = {}

    @classmethod
    def of(cls, preview: Preview, *, filled_in: Mapping[str, JsonValue]) -> StoredPreview:
        """What is kept of a preview."""
        return cls(
            title=preview.title,
            target=preview.target,
            changes=tuple((change.label, change.before, change.after) for change in preview.changes),
            seen_by=preview.seen_by,
            undo=preview.undo,
            evidence=preview.evidence,
            target_state=preview.target_state,
            sets=preview.sets,
            filled_in=filled_in,
        )

    @property
    def target_digest(self) -> str:
        """SHA-256 over the target's state."""
        return digest(self.target_state)

    def otherwise_than(self, expects: Mapping[str, str]) -> str:
        """What of the target is not as `expects` has it by name, in a sentence; empty while all is."""
        state = self.target_state if isinstance(self.target_state, Mapping) else {}
        for name, expected in expects.items():
            known = state.get(name)
            found = str(known.get("name", "")) if isinstance(known, Mapping) else str(known or "")
            if found.casefold() != expected.casefold():
                was, now = (f"“{each}”" if each else "empty" for each in (expected, found))
                return f"{_label(name)} was {was} and is now {now}: somebody changed it first."
        return ""

    def as_change_list(self) -> tuple[Change, ...]:
        """Before and after, line by line."""
        return tuple(Change(*line) for line in self.changes)


def withdrawn_words(preview: StoredPreview) -> str:
    """When a waiting request is withdrawn by itself: exactly what `approvals.drift` compares, by name."""
    if not isinstance(preview.target_state, Mapping):
        return "If the target changes first, this request is withdrawn."
    own = [name for name in preview.target_state if name in preview.sets]
    others = [name for name in preview.target_state if name not in preview.sets]
    told = [f"{_listed(own)} changes first"] if own else []
    if others:
        told.append(f"{_listed(others)} changes {'' if own else 'first, '}other than by what is approved here")
    return f"If {', or '.join(told)}, this request is withdrawn and shows what changed."


def differences(before: JsonValue, now: JsonValue) -> list[str]:
    """What is different at a target, in plain sentences, one a value; people read names, and ids where these tell no
    difference."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return ["The target is not as it was when this was asked."] if before != now else []
    lines = []
    for name in changed_names(before, now):
        was, now_is = _plain(before.get(name)), _plain(now.get(name))
        if was == now_is:
            was, now_is = _numbered(before.get(name)), _numbered(now.get(name))
        lines.append(f"{_label(name)} was {was}, and is now {now_is}.")
    return lines[:MAX_DIFFERENCES]


def changed_names(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> list[str]:
    """The names of the values that are not as they were."""
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _listed(names: Sequence[str]) -> str:
    *most, last = [_label(name).lower() for name in names]
    return f"{', '.join(most)} or {last}" if most else last


def _plain(value: JsonValue) -> str:
    if isinstance(value, Mapping) and value.get("name"):
        value = value["name"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "empty"
    text = value if isinstance(value, str) else str(value)
    return f"“{text[:MAX_VALUE]}”"


def _numbered(value: JsonValue) -> str:
    number = value.get("id") if isinstance(value, Mapping) else None
    return f"{_plain(value)} (no. {number})" if number else _plain(value)
