"""What a time entry holds: when the session worked, and words that may stand on the client's invoice."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from .case import FIND_CONTACT, LIST_DEVICES, SEARCH_TICKETS, Case
from .loose import fields, first, text
from .receipts import proposals, spoken
from .tools import ADD_NOTE, ADD_TIME, ASSIGN, CLASSIFY, CREATE_TICKET, SET_STATUS, tool_words

_INTERNAL = frozenset({CLASSIFY, ADD_NOTE, ADD_TIME, ASSIGN, CREATE_TICKET, SET_STATUS})
"""What is done for the MSP's own order and means nothing to who pays."""

_LOOKED = {
    FIND_CONTACT: "the contact's details",
    LIST_DEVICES: "the list of devices",
    SEARCH_TICKETS: "earlier requests",
}
"""What a look-up reads in the PSA, and no more: nobody looked at an account or at a device itself."""

_DURATION = re.compile(
    r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(h\b|hours?|std|stunden?|horas?|heures?|m\b|min\w*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Work:
    """How long the session worked, from when (None = it ends now), and where that comes from."""

    hours: float
    began: datetime | None
    words: str

    def meanings(self, case: Case, note: str) -> dict[str, JsonValue]:
        return time_meanings(case, self.hours, note, began=self.began)


def session_work(case: Case) -> Work:
    told = fields(case.conversation.facts.get("work"))
    minutes, began = told.get("minutes"), moment_of(told.get("began"))
    if not isinstance(minutes, int) or began is None:
        return Work(0.25, None, "15 min, until now: a guess, as nothing tells how long this session worked.")
    words = (
        f"{spoken(minutes / 60)} from {began:%H:%M} UTC: the time this session worked, without the time it waited for "
        "people. Change it if you worked longer."
    )
    return Work(minutes / 60, began, words)


def time_meanings(case: Case, hours: float, note: str, *, began: datetime | None = None) -> dict[str, JsonValue]:
    """What a time entry may ask for; without `began` it ends now."""
    meanings: dict[str, JsonValue] = {
        "ticket": case.ticket_id,
        "hours": round(hours, 2),
        "minutes": round(hours * 60),
        "note": note,
        "member": own_identifier(case) or None,
    }
    now = moment_of(case.conversation.facts.get("now"))
    try:
        started = began or (now - timedelta(hours=hours) if now else None)
        ended = started + timedelta(hours=hours) if started else None
    except OverflowError:
        return meanings
    if started is None or ended is None:
        return meanings
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    return {**meanings, "started": started.strftime(stamp), "ended": ended.strftime(stamp)}


def moment_of(value: JsonValue) -> datetime | None:
    """A moment of the facts in UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(text(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def spoken_hours(words: str) -> float:
    """The duration somebody wrote (`30 minutes`, `0.5 h`), in hours, at most a day; 0 when there is none."""
    found = _DURATION.search(words)
    if not found:
        return 0.0
    number = float(found[1].replace(",", "."))
    hours = number / 60 if found[2].lower().startswith("m") else number
    return round(hours, 2) if 0 < hours <= 24 else 0.0


def own_identifier(case: Case) -> str:
    """The PSA's name for the member on whose behalf the session runs; empty if it is not known."""
    member = case.conversation.facts.get("member")
    return first(member, "identifier", "id", "name") if isinstance(member, dict) else text(member)


def work_description(case: Case) -> str:
    """What was done for the client, as it may stand on their invoice: no findings, no classes, nobody's corrections."""
    about = f"“{text(case.subject, 80)}”: " if case.subject else ""
    looked = [words for tool, words in _LOOKED.items() if case.conversation.latest(tool) is not None]
    checked = f"looked into it; read {' and '.join(filter(None, [', '.join(looked[:-1]), *looked[-1:]]))}"
    did = dict.fromkeys(
        tool_words(call.tool) for call in proposals(case) if call.outcome.is_ok and call.tool not in _INTERNAL
    )
    return about + (checked if looked else "looked into it") + (f". Done: {', '.join(did)}." if did else ".")
