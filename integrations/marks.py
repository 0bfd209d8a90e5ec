"""Reference marks: what we leave in a text at a vendor, so that we find our own work again after an unknown outcome."""

from __future__ import annotations

import re
import uuid
from typing import Final

#: A mark, for databases too.
MARK_PATTERN: Final = r"\[ref:[0-9a-f]{12}\]"
#: A mark with the space before it, in a text or in a text's JSON.
_MARK = re.compile(r"(?:\\n|\s)*" + MARK_PATTERN)


def mark_of(action_id: uuid.UUID) -> str:
    """The mark of an action."""
    return f"[ref:{action_id.hex[:12]}]"


def without_marks(text: str) -> str:
    """`text` as people read it."""
    return _MARK.sub("", text)
