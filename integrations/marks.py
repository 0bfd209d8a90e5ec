"""Reference marks: what we leave in a text at a vendor, so that we find our own work again after an unknown outcome."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection
from typing import Final

#: Tells some of the references that it is given.
References = Callable[[Collection[str]], Collection[str]]

#: A mark, for databases too.
MARK_PATTERN: Final = r"\[ref:[0-9a-f]{12}\]"
#: Figures of an action's id, in base 16, that its mark holds.
REFERENCE_LENGTH: Final = 12
#: A mark with the space before it, in a text or in a text's JSON.
_MARK = re.compile(r"(?:\\n|\s)*" + MARK_PATTERN)


def reference_of(action_id: uuid.UUID) -> str:
    """What of an action's id stands in its mark."""
    return action_id.hex[:REFERENCE_LENGTH]


def mark_of(action_id: uuid.UUID) -> str:
    """The mark of an action."""
    return f"[ref:{reference_of(action_id)}]"


def references_in(text: str) -> set[str]:
    """The references of the actions whose marks stand in a text."""
    return {found[len("[ref:") : -1] for found in re.findall(MARK_PATTERN, text)}


def none_of(_: Collection[str]) -> Collection[str]:
    """None of these references: where nobody can tell, and nothing hangs on it."""
    return ()


def without_marks(text: str) -> str:
    """`text` as people read it."""
    return _MARK.sub("", text)
