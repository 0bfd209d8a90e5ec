"""What people write into the conversation: simple questions answered from it, plain requests turned into a call."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

from . import classification, leads
from .arguments import compose
from .case import GET_TICKET, LIST_MEMBERS, SEARCH_TICKETS, Case, device_name, person_name, plural
from .conversation import Remark
from .findings import contact_line, device_line, findings_text, guess_line, history_line, runbook_line, ticket_words
from .gathering import Wish
from .loose import first, rows, text
from .plan import obstacles
from .receipts import proposals, receipt_lines, spoken
from .time_entries import own_identifier, spoken_hours, time_meanings, work_description
from .tools import ADD_NOTE, ADD_TIME, CLASSIFY

SET_STATUS = ("connectwise.set_status", "connectwise.update_status", "connectwise.change_status",
              "connectwise.set_ticket_status", "connectwise.update_ticket_status")  # fmt: skip
ASSIGN = ("connectwise.assign_ticket", "connectwise.assign", "connectwise.set_assignee", "connectwise.assign_member")
CUSTOMER_NOTE = ("connectwise.add_customer_note", "connectwise.add_client_note", "connectwise.reply_to_customer")

CONNECT_HELP = (
    "I am the rehearsal model: fixed rules, no language model. I can tell you about the contact, the devices, the"
    " history, the classification, the runbook, the time and what was done, and I can propose: `add a note: ...`,"
    " `reply to customer: ...`, `set status to ...`, `assign to ...`, `classify as ...`, `log 30 minutes: ...`,"
    " `search tickets for ...`. For free conversation, connect a model: set JUNTO_LLM_BASE_URL to any"
    " OpenAI-compatible endpoint, with JUNTO_LLM_MODEL and JUNTO_LLM_API_KEY."
)

_POLITE = r"^\W*(?:(?:please|pls|kindly|ok|okay|now|then|and|also|can you|could you|would you|you can)\W+)*"
_HALT = re.compile(
    _POLITE + r"(?:stop|wait|hold on|pause|halt|don'?t do anything|warte|espera|attends|pare)\b", re.IGNORECASE
)
_RESUME = re.compile(
    _POLITE + r"(?:continue|go on|go ahead|proceed|resume|carry on|weiter|continúa|continuez|continue com)\b",
    re.IGNORECASE,
)
#: How a deed on the run's page is told in the person's name: it asks nothing, and the plan takes it up.
_DEED = re.compile(r"(?:chose|skipped|did|lets|opened|took over|handed) ?")


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    wish: Wish | None = None


def is_paused(case: Case) -> bool:
    """Whether the last word on it was that we should wait."""
    for remark in reversed(case.conversation.remarks):
        if _RESUME.match(remark.text):
            return False
        if _HALT.match(remark.text):
            return True
    return False


def answer_to(case: Case, remark: Remark) -> Answer:
    """The answer to one remark; always something, and honest where the rules end."""
    words = remark.text.strip()[:4000]
    if _DEED.match(words.removeprefix(f"{remark.name} ")) and words.startswith(f"{remark.name} "):
        return Answer("")
    if _HALT.match(words):
        return Answer("I wait. Write `continue` when I should go on.")
    if _RESUME.match(words):
        return Answer("")
    for pattern, request in _REQUESTS:
        found = pattern.match(words)
        if found:
            return request(case, remark, found)
    lowered = words.lower()
    for pattern, reply in _QUESTIONS:
        if pattern.search(lowered):
            return Answer(reply(case))
    if re.match(r"\W*(thanks|thank you|danke|gracias|merci|obrigad[oa]|great|good|perfect|ok|okay|cheers)\b", lowered):
        return Answer("You are welcome.")
    return Answer(CONNECT_HELP)


def _propose(case: Case, tools: tuple[str, ...], meanings: dict[str, JsonValue], what: str) -> Answer:
    if case.mode == "prepare":
        return Answer(
            "This session only prepares: I look things up and report. Start the agent, then I can propose that."
        )
    offer = case.conversation.offer(*tools)
    if offer is None:
        return Answer(f"I cannot do that here: {tools[0]} is not offered.")
    composed = compose(offer.schema, {"ticket": case.ticket_id, **meanings})
    if composed.missing:
        return Answer(f"I cannot propose that: {offer.name} needs {', '.join(composed.missing)}, which I do not know.")
    return Answer(f"{leads.ASKED} {what}.", Wish(offer.name, composed.arguments))


def _add_note(case: Case, _: Remark, found: re.Match[str]) -> Answer:
    return _propose(case, (ADD_NOTE,), {"note": found["rest"].strip()}, "this internal note")


def _reply(case: Case, _: Remark, found: re.Match[str]) -> Answer:
    return _propose(case, CUSTOMER_NOTE, {"note": found["rest"].strip()}, "this note, which the client can see")


def _set_status(case: Case, _: Remark, found: re.Match[str]) -> Answer:
    wanted = _bare(found["rest"])
    known = [text(option) for option in case.options("statuses", "status")]
    status = _nearest(wanted, known)
    if known and not status:
        return Answer(f"The board has no status “{wanted}”. It has: {', '.join(known[:15])}.")
    record = next((option for option in case.options("statuses", "status") if text(option) == status), {})
    meanings: dict[str, JsonValue] = {"status": status or wanted, "status_id": record.get("id")}
    return _propose(case, SET_STATUS, meanings, f"to set the status to {status or wanted}")


def _close(case: Case, _: Remark, _found: re.Match[str]) -> Answer:
    for option in case.options("statuses", "status"):
        name = text(option)
        if any(option.get(key) is True for key in ("closed", "closed_status", "closedStatus")) or re.search(
            r"\b(closed|completed|resolved)\b", name, re.IGNORECASE
        ):
            meanings: dict[str, JsonValue] = {"status": name, "status_id": option.get("id")}
            return _propose(case, SET_STATUS, meanings, f"to set the status to {name}")
    return Answer("I do not know which status of this board closes a ticket. Write `set status to ...` with its name.")


def _assign(case: Case, remark: Remark, found: re.Match[str]) -> Answer:
    wanted = _bare(found["rest"])
    if wanted.lower() in ("me", "myself") and (own := own_identifier(case)):
        wanted = own
    asked = case.conversation.called_since(remark.position, LIST_MEMBERS)
    if asked is None and LIST_MEMBERS in case.conversation.offers:
        return Answer(f"{leads.LOOKING} who that is.", Wish(LIST_MEMBERS))
    members = rows(asked.outcome.result, "members") if asked else []
    names = {first(member, "identifier") or text(member): person_name(member) for member in members}
    fitting = [
        identifier
        for identifier, name in names.items()
        if wanted.lower() in (identifier.lower(), name.lower(), *name.lower().split())
    ]
    if members and len(fitting) != 1:
        known = ", ".join(f"{name} ({identifier})" for identifier, name in list(names.items())[:15])
        return Answer(f"I do not know which member “{wanted}” is. There are: {known}.")
    who = fitting[0] if fitting else wanted
    return _propose(case, ASSIGN, {"assignee": who}, f"to assign the ticket to {who}")


def _classify(case: Case, _: Remark, found: re.Match[str]) -> Answer:
    choice = classification.find(case, found["rest"])
    if choice is None:
        types = ", ".join(text(kind) for kind in case.options("types")[:15])
        return Answer(
            f"I know no such type on this board. It has: {types}." if types else "I do not know this board's types."
        )
    return _propose(case, (CLASSIFY,), choice.meanings(), f"to classify the ticket as {choice.words}")


def _log_time(case: Case, _: Remark, found: re.Match[str]) -> Answer:
    hours = spoken_hours(found["rest"])
    if not hours:
        return Answer("Tell me how long, for instance `log 30 minutes: reset the password`.")
    note = found["rest"].partition(":")[2].strip() or work_description(case)
    return _propose(case, (ADD_TIME,), time_meanings(case, hours, note), f"to log {spoken(hours)}, until now")


def _search(case: Case, remark: Remark, found: re.Match[str]) -> Answer:
    done = case.conversation.called_since(remark.position, SEARCH_TICKETS)
    if done is not None:
        records = case.without_own(rows(done.outcome.result, "tickets")) if done.outcome.is_ok else []
        lines = [f"{plural(len(records), 'other ticket')} found for “{_bare(found['rest'])}”."]
        return Answer("\n".join([*lines, *(f"- {ticket_words(record)}" for record in records[:10])]))
    meanings: dict[str, JsonValue] = {"query": _bare(found["rest"]), "limit": 25, "company": case.vendor_company_id}
    return _look(case, SEARCH_TICKETS, meanings)


def _refresh(case: Case, remark: Remark, _: re.Match[str]) -> Answer:
    if case.conversation.called_since(remark.position, GET_TICKET) is not None:
        return Answer(_tell_status(case))
    return _look(case, GET_TICKET, {"ticket": case.ticket_id})


def _look(case: Case, tool: str, meanings: dict[str, JsonValue]) -> Answer:
    offer = case.conversation.offers.get(tool)
    composed = compose(offer.schema, meanings) if offer else None
    if composed is None or composed.missing:
        return Answer(f"I cannot look that up: {tool} is not offered, or I lack what it asks for.")
    return Answer(f"{leads.LOOKING} what you ask for.", Wish(tool, composed.arguments))


def _nearest(wanted: str, names: list[str]) -> str:
    lowered = wanted.lower()
    exact = [name for name in names if name.lower() == lowered]
    partly = [name for name in names if lowered and (lowered in name.lower() or name.lower() in lowered)]
    return next(iter([*exact, *partly]), "")


def _bare(words: str) -> str:
    return text(words.strip().strip("\"'“”‘’`.!"), 200)


_Request = Callable[[Case, Remark, re.Match[str]], Answer]


def _request(pattern: str, request: _Request) -> tuple[re.Pattern[str], _Request]:
    return re.compile(_POLITE + pattern, re.IGNORECASE | re.DOTALL), request


_IT = r"(?:it|this|the ticket|this ticket|ticket)"
_WRITE = r"(?:(?:add|write|post|leave|make|create)\s+)?(?:(?:an?|the|this)\s+)?"

_REQUESTS = (
    _request(_WRITE + r"(?:customer|client|public|external)[ -](?:visible )?note\b[^:]{0,40}:(?P<rest>.+)", _reply),
    _request(r"(?:reply|respond|answer|write) to (?:the )?(?:customer|client|user|contact)\b[^:]{0,40}:(?P<rest>.+)",
             _reply),
    _request(_WRITE + r"(?:internal )?note\b[^:]{0,40}:(?P<rest>.+)", _add_note),
    _request(r"(?:set|change|move|put|update)\s+(?:the\s+|its\s+)?(?:ticket'?s?\s+)?status\s*(?:to|:|=)\s*(?P<rest>.+)",
             _set_status),
    _request(rf"(?:close|resolve|complete)\s+{_IT}\b(?P<rest>.*)", _close),
    _request(rf"(?:re)?assign\s+{_IT}?\s*to\s+(?P<rest>.+)", _assign),
    _request(rf"(?:re)?classify\s+(?:{_IT}\s+)?(?:(?:as|to)\s+)?(?P<rest>.+)", _classify),
    _request(r"(?:set|change)\s+(?:the\s+)?type\s*(?:to|:|=)\s*(?P<rest>.+)", _classify),
    _request(r"(?:log|book|add|enter|record)\s+(?P<rest>(?:time\b\W*)?\d.*)", _log_time),
    _request(r"(?:search|find|look up|look for)\s+(?:for\s+)?(?:the\s+)?(?:other\s+|past\s+|similar\s+)?tickets?\s+"
             r"(?:for|about|with|on|mentioning)\s+(?P<rest>.+)", _search),
    _request(rf"(?:refresh|re-?read|reload|check)\s+{_IT}?\s*(?:again)?(?P<rest>)\W*$", _refresh),
)  # fmt: skip


def _tell_done(case: Case) -> str:
    lines = receipt_lines(case)
    return "\n".join(["So far:", *(f"- {line}" for line in lines)]) if lines else "So far I only looked things up."


def _tell_next(case: Case) -> str:
    open_calls = [call for call in proposals(case) if call.outcome.status == "waiting"]
    passed = obstacles(case)
    lines = [f"{plural(len(open_calls), 'proposal')} waiting for a decision."] if open_calls else []
    lines += [f"Left for a person: {line}" for line in passed]
    failed = [line for line in receipt_lines(case) if ": done" not in line]
    lines += [f"Not done: {line}" for line in failed]
    return (
        "\n".join(f"- {line}" for line in lines)
        or "Nothing is left of my plan. A person decides whether the ticket can be closed."
    )


def _tell_status(case: Case) -> str:
    status, priority = case.about_ticket("status", "status_name"), case.about_ticket("priority", "priority_name")
    assignee = case.about_ticket("assignee", "owner", "assigned_to", "resources")
    parts = [
        status and f"Its status is {status}",
        priority and f"the priority {priority}",
        assignee and f"assigned to {assignee}",
    ]
    return (", ".join(filter(None, parts)) or "I do not know its status") + "."


def _tell_why(case: Case) -> str:
    choice = classification.choose(case)
    proposed = f" On this board that is nearest to {choice.words}." if choice else ""
    return f"What it is about: {guess_line(case)}.{proposed}"


def _tell_history(case: Case) -> str:
    shown = [f"- {ticket_words(record)}" for record in case.similar_tickets or case.other_tickets[:5]]
    return "\n".join([f"History: {history_line(case)}.", *shown])


def _tell_devices(case: Case) -> str:
    names = [f"- {device_name(device)}" for device in (case.mentioned_devices or case.devices)[:10]]
    return "\n".join([f"Devices: {device_line(case)}.", *names])


def _tell_time(case: Case) -> str:
    logged = (
        "I did not look up the time"
        if case.logged_hours is None
        else f"{case.logged_hours:g} h were logged when I looked"
    )
    own = [line for line in receipt_lines(case) if "time entry" in line.lower() or "time" in line.lower().split(":")[0]]
    return "\n".join([f"{logged}.", *(f"- {line}" for line in own)])


def _tell_runbook(case: Case) -> str:
    steps = [f"{step.number}. {step.title}" for step in case.steps[:20]]
    return "\n".join([f"Runbook: {runbook_line(case)}.", *steps])


_QUESTIONS: tuple[tuple[re.Pattern[str], Callable[[Case], str]], ...] = (
    (re.compile(r"\b(who are you|what are you|(which|what|language) model|rehears\w*|are you (an? )?(ai|bot))\b"),
     lambda case: CONNECT_HELP),
    (re.compile(r"\bwhat can you\b|\bhelp\b$|^\W*help\b"), lambda case: CONNECT_HELP),
    (re.compile(r"\b(what|which).{0,20}\b(you|been|was|were|actions?)\b.{0,20}\b(do|did|done|taken|change\w*|happen\w*)\b|"
                r"\bwhat happened\b|\bsummar\w+|\brecap\b|\bso far\b"), _tell_done),
    (re.compile(r"\b(next|left|remain\w*|open|to do|todo|still)\b"), _tell_next),
    (re.compile(r"\b(why|category|categor\w+|classif\w+|topic|about what|what is (it|this) about)\b"), _tell_why),
    (re.compile(r"\b(similar|history|before|past|previous|earlier|other tickets|again)\b"), _tell_history),
    (re.compile(r"\b(devices?|computers?|laptops?|machines?|configurations?|servers?|workstations?|pcs?|gerät\w*|equipo\w*)\b"),
     _tell_devices),
    (re.compile(r"\b(runbooks?|steps?|procedure)\b"), _tell_runbook),
    (re.compile(r"\b(how long|hours?|time entr\w+|time|logged)\b"), _tell_time),
    (re.compile(r"\b(status|state|priority|assign\w*|owner|board)\b"), _tell_status),
    (re.compile(r"\b(who|contact|caller|user|e-?mail|phone|requester|kontakt|ansprechpartner|contacto)\b"),
     lambda case: f"Contact: {contact_line(case)}."),
    (re.compile(r"\b(findings?|found|ticket|tell me|what)\b"), findings_text),
)  # fmt: skip
