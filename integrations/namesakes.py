"""Whether a record was made by a write that got no answer: one of its name that was not there before."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import JsonValue

from integrations.tools import ExternalRecord, Outcome


def outcome_by_name(before: JsonValue, ids: Collection[int], *, word: str) -> Outcome:
    """What the records of the name (`ids`) tell, beside those of the preview's state (`namesakes`).

    `word` is what people call such a record, as in "document".
    """
    known = before.get("namesakes") if isinstance(before, dict) else None
    if not isinstance(known, list):
        return Outcome("unclear", f"Which {word}s of this name there were before is not known.")
    new = [one for one in ids if one not in known]
    if len(new) == 1:
        record = ExternalRecord(word, str(new[0]))
        return Outcome("found", f"{word.capitalize()} {new[0]} of this name was not there before.", record)
    if new:
        return Outcome("unclear", f"More than one {word} of this name was not there before.")
    return Outcome("absent", f"No {word} of this name is there that was not there before.")
