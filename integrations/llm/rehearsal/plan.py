"""What to propose, in which order, and what comes next: worked out anew from the conversation every time."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from . import classification, leads
from .arguments import Composed, compose
from .case import Case, Mention, Step, is_look, person_name
from .cloud import WELCOME, cloud_meanings
from .conversation import Call, Offer
from .findings import findings_note
from .gathering import Wish
from .loose import first, text
from .monitored import monitored_meanings
from .protected import protected_meanings
from .receipts import closing_note, duration, open_proposals, spoken
from .time_entries import session_work, spoken_hours, time_meanings, work_description
from .tools import ADD_NOTE, ADD_TIME, CLASSIFY, tool_words

_MOST_STEP_REPLIES = 12
"""A runbook with more calls than this makes several of them in one reply."""

_WELCOME = {
    CLASSIFY: frozenset({"type", "type_id", "subtype", "subtype_id"}),
    ADD_TIME: frozenset({"member"}),
    **WELCOME,
}
"""Arguments that a tool does not insist on and that a bare mention of it means all the same."""

_MENTION = re.compile(r"@(\w+\.\w+)")
_STOPS = re.compile(r"\b(stop|end here|escalat\w*|hand over|abort)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Move:
    """The next thing: words, and calls if there are any. `is_last` when the plan holds nothing more."""

    text: str = ""
    wishes: tuple[Wish, ...] = ()
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class _Intent:
    """One thing to propose: the call, or why it cannot be made (`obstacle`), or a question to the people."""

    key: str
    tool: str = ""
    lead: str = ""
    composed: Composed | None = None
    obstacle: str = ""
    question: str = ""


def next_move(case: Case) -> Move:
    """The next proposal or question, with what there is to say about those passed over on the way."""
    said: list[str] = []
    settled = _settled(case)
    chunk: list[_Intent] = []
    for intent in _intents(case):
        is_step_call = intent.key.startswith("step-") and not intent.question and not intent.obstacle
        if chunk and not (is_step_call and len(chunk) < _chunk_size(case)):
            break
        if intent.key in settled:
            continue
        if intent.obstacle:
            line = obstacle_line(intent.obstacle)
            if case.conversation.said(line) < 0:
                said.append(line)
            continue
        if intent.question:
            return Move(text="\n\n".join([*said, intent.question]))
        chunk.append(intent)
        if not is_step_call:
            break
    if not chunk:
        return Move(text="\n".join(said), is_last=True)
    spoken = [intent.lead for intent in chunk]
    wishes = tuple(Wish(intent.tool, intent.composed.arguments) for intent in chunk if intent.composed is not None)
    return Move(text="\n\n".join([*said, *spoken]), wishes=wishes)


def obstacles(case: Case) -> list[str]:
    """What of the plan could not be proposed, and why."""
    return [intent.obstacle for intent in _intents(case) if intent.obstacle]


def obstacle_line(obstacle: str) -> str:
    return f"Passed over: {obstacle}"


def _settled(case: Case) -> set[str]:
    """The intents that were already proposed. Calls that are not ours count for the first intent with their tool."""
    keys = {call.key for call in case.conversation.calls if call.key}
    strangers = [call.tool for call in case.conversation.calls if not call.key]
    if strangers:
        for intent in _intents(case):
            if intent.key not in keys and intent.tool in strangers:
                strangers.remove(intent.tool)
                keys.add(intent.key)
    return keys


def _intents(case: Case) -> Iterator[_Intent]:
    mentioned = {mention.tool for step in case.steps for mention in step.mentions} if case.may_follow_runbook else set()
    if case.mode == "runbook":
        yield from _step_intents(case)
        return  # the server closes a run: ticket, time and note
    if CLASSIFY not in mentioned:
        yield from _classification_intents(case)
    if ADD_NOTE not in mentioned:
        meanings = {"ticket": case.ticket_id, "note": findings_note(case)}
        yield _offered(case, "findings-note", ADD_NOTE, f"{leads.FINDINGS_NOTE}.", meanings)
    yield from _step_intents(case)
    if ADD_TIME not in mentioned:
        yield from _time_intents(case)
    if open_proposals(case):
        return  # the note tells what became of everything
    meanings = {"ticket": case.ticket_id, "note": closing_note(case)}
    yield _offered(case, "closing-note", ADD_NOTE, f"{leads.CLOSING_NOTE} drawn from the receipts.", meanings)


def _offered(case: Case, key: str, tool: str, lead: str, meanings: dict[str, JsonValue]) -> _Intent:
    offer = case.conversation.offers.get(tool)
    if offer is None:
        return _Intent(key, obstacle=f"{tool_words(tool)}, because {tool} is not offered here.")
    composed = compose(offer.schema, meanings)
    if composed.missing:
        return _Intent(
            key, obstacle=f"{tool_words(tool)}, because it needs {_listed(composed.missing)}, which I do not know."
        )
    return _Intent(key, tool, lead, composed)


def _classification_intents(case: Case) -> Iterator[_Intent]:
    choice = classification.choose(case)
    if CLASSIFY in case.conversation.offers and choice is None:
        yield _Intent("classify", obstacle="classify ticket, because I could not read which types the board has.")
        return
    words = choice.words if choice else ""
    current = " / ".join(filter(None, (case.about_ticket("type"), case.about_ticket("subtype", "sub_type"))))
    first_call = _call(case, "classify")
    if choice and words == current and first_call is None:
        yield _Intent("classify", obstacle=f"classify ticket, because it already is {words}.")
        return
    if choice and not choice.fits and current and first_call is None:
        yield _Intent("classify", obstacle=f"classify ticket, because it is {current} and no other type speaks for it.")
        return
    fits = "which fits the words of the ticket" if choice and choice.fits else "the most general choice, as none fits"
    lead = f"{leads.CLASSIFY} **{words}**, {fits}."
    meanings = {"ticket": case.ticket_id, **(choice.meanings() if choice else {})}
    yield _offered(case, "classify", CLASSIFY, lead, meanings)
    if first_call is None or first_call.outcome.status != "denied":
        return
    other = classification.correct(case, first_call.outcome.reason, denied=words)
    if other is not None:
        meanings = {"ticket": case.ticket_id, **other.meanings()}
        yield _offered(case, "classify-again", CLASSIFY, f"{leads.CLASSIFY_AGAIN} **{other.words}**.", meanings)


def _time_intents(case: Case) -> Iterator[_Intent]:
    work = session_work(case)
    note = work_description(case)
    yield _offered(case, "time", ADD_TIME, f"{leads.TIME} {work.words}", work.meanings(case, note))
    denied = _call(case, "time")
    if denied is not None and denied.outcome.status == "denied":
        wanted = spoken_hours(denied.outcome.reason)
        if wanted and spoken(wanted) != duration(denied.arguments):
            meanings = time_meanings(case, wanted, note)
            yield _offered(case, "time-again", ADD_TIME, f"{leads.TIME_AGAIN} {spoken(wanted)}, until now.", meanings)


def _step_intents(case: Case) -> Iterator[_Intent]:
    """The runbook's mentions in order, up to a question nobody answered or a step that went wrong.

    What was looked up while gathering is not looked up again by the first step that wants it; a later step that wants
    it once more (to prove a change) has it done for itself.
    """
    if not case.may_follow_runbook:
        return
    jump_to = 0
    gathered = case.gathered()
    for step in case.steps:
        if step.order < jump_to or (step.is_over and not step.answer):
            continue
        if step.is_decision:
            answer = step.answer or chosen_option(case, step)
            if not answer:
                yield _Intent(leads.step_key(step.mark, 0), question=_question(case, step))
            if not answer or (case.mode != "runbook" and _STOPS.search(answer)):
                return  # in a run the server says where an answer leads
            jump_to = step.leads.get(answer, 0)
        for order, mention in enumerate(step.mentions, start=1):
            if step.is_over or _was_gathered(step, mention, gathered) or _was_done(case, step, order):
                continue
            intent = _mention_intent(case, step, mention, order)
            yield intent
            broken = _call(case, intent.key)
            if broken is not None and _went_wrong(case, broken):
                yield _Intent("step-stop", obstacle=f"the rest of the runbook, because step {step.number} went wrong.")
                return


def _mention_intent(case: Case, step: Step, mention: Mention, order: int) -> _Intent:
    key = leads.step_key(step.mark, order, step.attempt)
    where = f"{tool_words(mention.tool)} of step {step.number}"
    offer = case.conversation.offers.get(mention.tool)
    if offer is None:
        return _Intent(key, obstacle=f"{where}, because {mention.tool} is not offered here.")
    composed = _mention_arguments(case, step, mention, offer)
    if composed.missing:
        return _Intent(key, obstacle=f"{where}, because it needs {_listed(composed.missing)}, which I do not know.")
    lead = leads.step_lead(step.mark, order, step.title, step.attempt)
    return _Intent(key, mention.tool, lead, composed)


def _mention_arguments(case: Case, step: Step, mention: Mention, offer: Offer) -> Composed:
    contact, devices = case.contact, case.mentioned_devices
    choice = classification.choose(case)
    for_client = any(word in mention.tool for word in ("customer", "client"))
    note = _client_note(case) if for_client else _step_note(case, step)
    work = session_work(case)
    meanings: dict[str, JsonValue] = {
        **(choice.meanings() if choice else {}),
        **work.meanings(case, work_description(case) if mention.tool == ADD_TIME else note),
        "status_id": _named_status(case, step),
        "company": case.vendor_company_id,
        "contact": contact.get("id"),
        "contact_name": person_name(contact) or None,
        "email": first(contact, "email", "mail") or None,
        "device": devices[0].get("id") if len(devices) == 1 else None,
        "board": case.ticket.get("board_id"),
        "title": case.subject or None,
        "query": next(iter(case.guess.words), None),
        "limit": 25,
        **monitored_meanings(case, step, mention),
        **protected_meanings(case, step, mention),
        **cloud_meanings(case, step, mention),
    }
    welcome = _WELCOME.get(mention.tool, frozenset())
    return compose(offer.schema, meanings, mention.arguments, only=welcome | frozenset(mention.unresolved))


def _step_note(case: Case, step: Step) -> str:
    title = _MENTION.sub(lambda mention: tool_words(mention[1]), step.title)
    return f"{title} (runbook {case.runbook_title}, step {step.number})\n{findings_note(case)}"


def _client_note(case: Case) -> str:
    """Words the client may read: nothing of our findings."""
    name = person_name(case.contact)
    about = f" about “{text(case.subject, 100)}”" if case.subject else ""
    hello = f"Hello {name}" if name else "Hello"
    return f"{hello}, thank you for your message{about}. We are working on it and will report back."


def _named_status(case: Case, step: Step) -> JsonValue:
    """The board's status that the step names, the longest name first."""
    words = f"{step.title} {step.body}".lower()
    named = [option for option in case.options("statuses") if text(option).lower() in words]
    return max(named, key=lambda option: len(text(option))).get("id") if named else None


def _question(case: Case, step: Step) -> str:
    marker = question_marker(step)
    if case.conversation.said(marker) >= 0:
        return f"I still need your decision on step {step.number}: answer with the number of an option."
    options = [f"{order}. {option}" for order, option in enumerate(step.options, start=1)]
    return "\n".join([f"{marker} {step.body or step.title}", *options])


def question_marker(step: Step) -> str:
    return f"**Decision needed** (step {step.mark}):"


def chosen_option(case: Case, step: Step) -> str:
    """The option a person chose after we had asked: by its number, its letter or its words; empty if none yet."""
    asked = case.conversation.said(question_marker(step))
    if asked < 0:
        return ""
    for remark in case.conversation.remarks:
        if remark.position > asked and (option := _matched(remark.text, step.options)):
            return option
    return ""


def _matched(answer: str, options: tuple[str, ...]) -> str:
    words = answer.strip().lower()
    if not options:
        return words
    number = re.match(r"(?:option\s*|no\.?\s*|#)?(\d{1,2}|[a-z])\W*(?:$|\s)", words)
    if number:
        order = int(number[1]) - 1 if number[1].isdigit() else ord(number[1]) - ord("a")
        if 0 <= order < len(options):
            return options[order]
    fitting = [
        option for option in options if option.lower() in words or (len(words) > 1 and option.lower().startswith(words))
    ]
    return fitting[0] if len(fitting) == 1 else ""


def _went_wrong(case: Case, call: Call) -> bool:
    """Whether going on would build on something that did not happen. A denial is a person's word to skip the step.

    In a run a look-up counts too: a later step may stand on what it was to prove.
    """
    counts = case.mode == "runbook" or not is_look(call.tool)
    return counts and call.outcome.status not in ("ok", "denied", "waiting")


def _was_gathered(step: Step, mention: Mention, gathered: list[Call]) -> bool:
    """Whether a look-up made while gathering did what a mention wants, which is taken out of `gathered` for it.

    Not where the server knows of nothing that was done for the step.
    """
    if step.is_untouched or not is_look(mention.tool):
        return False
    found = next((call for call in gathered if mention.asks_for(call.tool, call.arguments)), None)
    if found is not None:
        gathered.remove(found)
    return found is not None


def _was_done(case: Case, step: Step, order: int) -> bool:
    """Whether an earlier attempt at the step already got this call through."""
    earlier = {leads.step_key(step.mark, order, attempt) for attempt in range(1, step.attempt)}
    return any(call.key in earlier and call.outcome.is_ok for call in case.conversation.calls)


def _call(case: Case, key: str) -> Call | None:
    return next((call for call in case.conversation.calls if call.key == key), None)


def _chunk_size(case: Case) -> int:
    total = sum(len(step.mentions) for step in case.steps)
    return max(1, math.ceil(total / _MOST_STEP_REPLIES))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(text(name, 40) for name in names[:6])
