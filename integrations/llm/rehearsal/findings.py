"""The report after gathering, and the note that records it: names and figures from the tool results, doubts marked."""

from collections.abc import Iterator
from datetime import datetime

from .case import FIND_CONTACT, LIST_DEVICES, SEARCH_TICKETS, Case, Step, device_name, person_name, plural
from .loose import Fields, first, text
from .topics import telling_words

HEADING = "**Findings**"

_MOST_NAMED = 5

#: A runbook's audience as people say it: what stands here may become a note in the PSA.
MEANT_FOR = {"ai": "the AI agent", "hybrid": "agent and technician", "human": "people"}


def findings_text(case: Case) -> str:
    """The report for the chat, in Markdown."""
    lines = [f"{HEADING} (rehearsal model: fixed rules, no language model)", ""]
    lines += [f"- **{head}:** {body}" for head, body in _points(case)]
    steps = [f"  {step.number}. {step.title}{_mentioned(case, step)}" for step in case.steps[:20]]
    if steps:
        lines += ["", f"Steps of the runbook {case.runbook_title}:", *steps]
        if len(case.steps) > len(steps):
            lines.append(f"  … and {len(case.steps) - len(steps)} more")
    return "\n".join(lines)


def findings_note(case: Case) -> str:
    """The same for an internal note in the PSA, in plain text."""
    lines = [f"{head}: {body}" for head, body in _points(case)]
    return "Findings of the triage\n" + "\n".join(f"- {line}" for line in lines)


def _points(case: Case) -> Iterator[tuple[str, str]]:
    yield "Ticket", _ticket(case)
    yield "Contact", contact_line(case)
    yield "Devices", device_line(case)
    yield "About", guess_line(case)
    yield "History", history_line(case)
    if case.logged_hours is not None:
        yield "Time so far", f"{case.logged_hours:g} h logged on the ticket"
    yield "Runbook", runbook_line(case)
    for call in case.failed_reads:
        yield "Could not read", f"{call.tool}: {call.outcome.reason or call.outcome.status}"


def _ticket(case: Case) -> str:
    name = f"#{text(case.ticket_id)} " if case.ticket_id is not None else ""
    subject = f"“{text(case.subject, 120)}”" if case.subject else "without a subject"
    more = [
        case.company and f"of {case.company}",
        _with("board", case.about_ticket("board", "board_name")),
        _with("status", case.about_ticket("status", "status_name")),
        _with("priority", case.about_ticket("priority", "priority_name")),
        _with("opened", _moment(text(case.ticket.get("created_at")))),
    ]
    words = len(case.conversation.ticket_text.split())
    if words < 4:
        more.append("it says almost nothing")
    return f"{name}{subject} " + ", ".join(filter(None, more))


def contact_line(case: Case) -> str:
    contact = case.contact
    name, mail = person_name(contact), first(contact, "email", "mail", "default_email")
    phone = first(contact, "phone", "default_phone", "mobile", "phone_number")
    if not name and not mail:
        looked = case.conversation.latest(FIND_CONTACT) is not None
        return "none on the ticket" + (", and the search found none that fits" if looked else "")
    doubt = "" if case.contact_is_linked else "named in the text, not linked to the ticket"
    return ", ".join(filter(None, (name, mail, phone, first(contact, "title", "job_title"), doubt)))


def device_line(case: Case) -> str:
    devices = case.devices
    if not devices:
        looked = case.conversation.latest(LIST_DEVICES) is not None
        return "none found for the company" if looked else "not looked up"
    own = case.mentioned_devices
    total = f"{plural(len(devices), 'device')} of the company"
    if own:
        named = ", ".join(map(_device, own[:_MOST_NAMED]))
        return f"{named} (linked to the ticket, its contact or named in it); {total}"
    named = ", ".join(map(_device, devices[:_MOST_NAMED]))
    more = ", …" if len(devices) > _MOST_NAMED else ""
    return f"{total}, none of them clearly meant: {named}{more}"


def _device(device: Fields) -> str:
    kind = first(device, "type", "type_name", "model", "os", "operating_system")
    return f"{device_name(device)} ({kind})" if kind else device_name(device)


def guess_line(case: Case) -> str:
    guess = case.guess
    if guess.topic is None:
        words = ", ".join(telling_words(case.subject or case.conversation.ticket_text, 5))
        return "unclear: none of my keywords occur" + (f" (its words: {words})" if words else "")
    evidence = ", ".join(f"“{text(word, 40)}”" for word in guess.words)
    if guess.is_sure:
        return f"{guess.label} (words: {evidence})"
    doubt = f"; it could also be {guess.runner_up.label}" if guess.runner_up and guess.is_close else ""
    return f"probably {guess.label}, uncertain (words: {evidence}{doubt})"


def history_line(case: Case) -> str:
    if case.conversation.latest(SEARCH_TICKETS) is None:
        return "not looked up"
    others, similar = len(case.other_tickets), case.similar_tickets
    if not others:
        return "no other ticket of the company found"
    if not similar:
        return f"{plural(others, 'other ticket')} of the company, none similar"
    named = "; ".join(map(ticket_words, similar[:3]))
    return f"{plural(others, 'other ticket')} of the company, similar: {named}"


def ticket_words(record: Fields) -> str:
    status = first(record, "status", "status_name")
    return f"#{text(record.get('id'))} “{text(first(record, 'subject', 'summary'), 80)}”" + (
        f" ({status})" if status else ""
    )


def runbook_line(case: Case) -> str:
    if not case.runbook:
        others = [text(match) for match in _matches(case)]
        return "none fits well enough" + (f"; nearest: {', '.join(others)}" if others else "")
    score, reason = text(case.runbook.get("score")), text(case.runbook.get("reason"), 160)
    why = "; ".join(filter(None, (_with("score", score), reason)))
    audience = text(case.runbook.get("audience"))
    audience = MEANT_FOR.get(audience, audience)
    meant = f", written for {audience}" if audience else ""
    return f"{case.runbook_title}{meant}" + (f" ({why})" if why else "")


def _matches(case: Case) -> list[Fields]:
    found = case.conversation.facts.get("other_matches")
    return [entry for entry in found if isinstance(entry, dict)][:3] if isinstance(found, list) else []


def _mentioned(case: Case, step: Step) -> str:
    if step.is_decision:
        return " (a decision for you)"
    if step.mentions and all(map(case.has_looked, step.mentions)):
        return " (looked up above)"
    return f" ({plural(len(step.mentions), 'tool call')})" if step.mentions else ""


def _moment(value: str) -> str:
    """An ISO time as people write it, or what came."""
    try:
        return f"{datetime.fromisoformat(value):%-d %b %Y %H:%M}"
    except ValueError:
        return value


def _with(word: str, value: str) -> str:
    return f"{word} {value}" if value else ""
