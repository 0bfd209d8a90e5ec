"""What is known about the ticket: the facts, and what the read tools said about it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import JsonValue

from .conversation import Call, Conversation
from .loose import Fields, as_record, fields, first, lists_named, rows, text
from .topics import Guess, guess_topic, likeness, telling_words

GET_TICKET = "connectwise.get_ticket"
FIND_CONTACT = "connectwise.find_contact"
LIST_DEVICES = "connectwise.list_configurations"
SEARCH_TICKETS = "connectwise.search_tickets"
BOARD_OPTIONS = "connectwise.board_options"
LIST_TIME = "connectwise.list_ticket_time"
LIST_MEMBERS = "connectwise.list_members"

_LIKE_ENOUGH = 0.34
_LOOKS = ("get", "list", "search", "find", "read", "check", "show", "lookup", "query", "board",
          "device", "org", "pending", "last")  # fmt: skip
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A tool a runbook's step names, with the arguments the server resolved and the names it could not."""

    tool: str
    arguments: Fields
    unresolved: tuple[str, ...]
    ask: bool

    def asks_for(self, tool: str, arguments: Fields) -> bool:
        """Whether a call of `tool` with these arguments is what it asks for, as far as it binds them."""
        return self.tool == tool and self.arguments.items() <= arguments.items()


@dataclass(frozen=True, slots=True)
class Step:
    """A runbook's step. `number` is what people call it, `mark` the same where only one is called so; `order` counts.

    `leads` = the order of the later step that an option goes on with, for those that name one; behind the last step for
    one that stops the run. `is_untouched` = the server counts no call for it yet.
    """

    order: int
    number: str
    mark: str
    title: str
    body: str
    options: tuple[str, ...]
    is_decision: bool
    mentions: tuple[Mention, ...]
    answer: str = ""
    is_over: bool = False
    is_untouched: bool = False
    attempt: int = 1
    leads: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Answers questions about one conversation's ticket; every answer is empty where nothing is known."""

    conversation: Conversation

    @property
    def mode(self) -> str:
        return text(self.conversation.facts.get("mode")) or "triage"

    @cached_property
    def ticket(self) -> Fields:
        return fields(self.conversation.facts.get("ticket"))

    @cached_property
    def read_ticket(self) -> Fields:
        """The ticket as the PSA last returned it."""
        call = self.conversation.latest(GET_TICKET)
        result = fields(call.outcome.result) if call else {}
        inner = fields(result.get("ticket"))
        return inner or result

    @property
    def ticket_id(self) -> JsonValue:
        value = self.ticket.get("id")
        return value if isinstance(value, str | int) and not isinstance(value, bool) else None

    def reason_for(self, step: Step) -> str:
        """Why something is done at a system that knows no ticket of ours: what is done, and the ticket's number."""
        named = f"ticket {self.ticket_id}" if self.ticket_id is not None else self.runbook_title
        return " ".join(f"{step.title.split(chr(10))[0]} {f'({named})' if named else ''}".split())

    @property
    def subject(self) -> str:
        return first(self.ticket, "subject", "summary") or first(self.read_ticket, "subject", "summary")

    @property
    def company(self) -> str:
        return text(self.conversation.facts.get("company"))

    @property
    def vendor_company_id(self) -> JsonValue:
        ids = fields(fields(self.conversation.facts.get("company")).get("external_ids"))
        return ids.get(text(self.ticket.get("connection"))) or ids.get("connectwise")

    def about_ticket(self, *keys: str) -> str:
        """A field of the ticket, freshest first: a change of ours answers with the ticket as it then is."""
        for call in reversed(self.conversation.calls):
            result = fields(call.outcome.result)
            if call.outcome.is_ok and not is_look(call.tool) and (told := first(result, *keys)):
                return told
        return first(self.read_ticket, *keys) or first(self.ticket, *keys)

    @cached_property
    def contact(self) -> Fields:
        """The ticket's contact, completed by what was found in the PSA."""
        known = fields(self.ticket.get("contact")) or fields(self.read_ticket.get("contact"))
        call = self.conversation.latest(FIND_CONTACT)
        found = rows(call.outcome.result, "contacts") if call else []
        name, mail = text(known.get("name")).lower(), text(known.get("email")).lower()
        for record in found:
            if (mail and mail in first(record, "email", "mail").lower()) or (
                name and name == person_name(record).lower()
            ):
                return {**known, **{key: value for key, value in record.items() if value not in (None, "", [])}}
        if known:
            return known
        # Nobody is linked: whoever the ticket itself names, if that is exactly one.
        words = f"{self.subject}\n{self.conversation.ticket_text}".lower()
        named = [record for record in found if any(sign in words for sign in _signs(record))]
        return named[0] if len(named) == 1 else {}

    @property
    def contact_is_linked(self) -> bool:
        return bool(fields(self.ticket.get("contact")) or fields(self.read_ticket.get("contact")))

    @cached_property
    def devices(self) -> list[Fields]:
        """The devices of the company or the ticket, those of the ticket first."""
        call = self.conversation.latest(LIST_DEVICES)
        found = (
            [record for record in rows(call.outcome.result, "configurations", "devices") if text(record)]
            if call
            else []
        )
        own = [device for device in map(fields, _list(self.ticket.get("devices"))) if text(device)]
        names = {device_name(device).lower() for device in found}
        return [device for device in own if device_name(device).lower() not in names] + found

    @cached_property
    def mentioned_devices(self) -> list[Fields]:
        """The devices that the ticket itself names or is linked to."""
        linked = {text(device).lower() for device in map(fields, _list(self.ticket.get("devices")))}
        words = f"{self.subject}\n{self.conversation.ticket_text}".lower()
        contact = person_name(self.contact).lower()
        return [
            device
            for device in self.devices
            if (name := device_name(device).lower())
            and (name in linked or (len(name) > 3 and name in words) or (contact and contact == _user_of(device)))
        ]

    @cached_property
    def other_tickets(self) -> list[Fields]:
        call = self.conversation.earliest(SEARCH_TICKETS)
        return self.without_own(rows(call.outcome.result, "tickets")) if call else []

    def without_own(self, tickets: list[Fields]) -> list[Fields]:
        """The found tickets but the one this session is about."""
        own = text(self.ticket_id)
        return [record for record in tickets if text(record.get("id")) != own]

    @cached_property
    def similar_tickets(self) -> list[Fields]:
        """Other tickets of the company with words of this one's subject, the nearest first."""
        words = telling_words(self.subject)
        topic = self.guess.topic
        scored: list[tuple[float, int, Fields]] = []
        for order, record in enumerate(self.other_tickets):
            title = first(record, "subject", "summary")
            score = likeness(words, telling_words(title))
            if topic is not None and guess_topic(title, "").topic is topic:
                score += 0.4
            scored.append((score, -order, record))
        scored.sort(key=lambda entry: entry[:2], reverse=True)
        return [record for score, _, record in scored[:5] if score >= _LIKE_ENOUGH]

    @cached_property
    def logged_hours(self) -> float | None:
        """Hours already logged on the ticket; None when they were not read."""
        call = self.conversation.latest(LIST_TIME)
        if call is None:
            return None
        hours = [
            first(record, "hours", "actual_hours", "actualHours") for record in rows(call.outcome.result, "entries")
        ]
        return sum(float(value) for value in hours if re.fullmatch(r"\d{1,4}(\.\d{1,4})?", value))

    @cached_property
    def guess(self) -> Guess:
        return guess_topic(self.subject, self.conversation.ticket_text)

    @cached_property
    def runbook(self) -> Fields:
        return fields(self.conversation.facts.get("runbook"))

    @cached_property
    def runbook_title(self) -> str:
        title, version = text(self.runbook.get("title")), text(self.runbook.get("version"))
        return f"“{title}”" + (f" (version {version})" if version else "") if title else ""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(_steps(_list(self.runbook.get("steps"))))

    @property
    def may_follow_runbook(self) -> bool:
        """A runbook written for people is shown and never carried out."""
        return bool(self.steps) and "human" not in text(self.runbook.get("audience")).lower()

    def options(self, *names: str) -> list[Fields]:
        """The choices the board offers under one of these names (`types`, `statuses`, ...)."""
        call = self.conversation.latest(BOARD_OPTIONS)
        found = lists_named(call.outcome.result, *names) if call else iter(())
        return [record for option in found for element in option if text(record := as_record(element))]

    def has_looked(self, mention: Mention) -> bool:
        """Whether what a runbook's step wants to look up was looked up while gathering."""
        return is_look(mention.tool) and any(mention.asks_for(call.tool, call.arguments) for call in self.gathered())

    def gathered(self) -> list[Call]:
        """The look-ups that went well while gathering, to be taken from: each stands for one mention of a runbook."""
        return [call for call in self.conversation.calls if call.is_read and call.outcome.is_ok]

    def is_for_later(self, tool: str, arguments: Fields) -> bool:
        """Whether a run's look-up belongs to a step behind a change or a decision, which it is to come after."""
        if self.mode != "runbook" or not self.may_follow_runbook:
            return False
        is_behind = False
        for step in self.steps:
            if step.is_over:
                continue
            is_behind = is_behind or (step.is_decision and not step.answer)
            for mention in step.mentions:
                if mention.asks_for(tool, arguments):
                    return is_behind
                is_behind = is_behind or not is_look(mention.tool)
        return False

    @property
    def failed_reads(self) -> list[Call]:
        return [
            call for call in self.conversation.calls if call.is_read and call.outcome.status not in ("ok", "waiting")
        ]


def is_look(tool: str) -> bool:
    """Whether a tool, by its name, only looks."""
    return tool.rsplit(".", 1)[-1].startswith(_LOOKS)


def person_name(record: Fields) -> str:
    """A person's name from whichever fields a system keeps it in."""
    whole = first(record, "name", "full_name", "display_name")
    return whole or " ".join(
        filter(None, (first(record, "first_name", "firstName"), first(record, "last_name", "lastName")))
    )


def _signs(person: Fields) -> list[str]:
    """What a text would name a person by: the whole name or the address."""
    signs = (person_name(person).lower(), first(person, "email", "mail").lower())
    return [sign for sign in signs if len(sign) > 5]


def device_name(record: Fields) -> str:
    return first(record, "name", "device_name", "hostname", "label", "id")


def _user_of(device: Fields) -> str:
    return first(device, "contact", "contact_name", "user", "last_user", "last_login", "lastLoginName").lower()


def _steps(entries: list[JsonValue]) -> Iterator[Step]:
    taken: set[str] = set()
    for order, entry in enumerate(map(fields, entries), start=1):
        number = text(entry.get("number")) or str(order)
        name = re.sub(r"[^a-z0-9]", "", number.lower())[:6] or "x"
        mark = name if name not in taken else f"{name}_{order}"
        taken.add(mark)
        yield Step(
            order=order,
            number=number,
            mark=mark,
            title=text(entry.get("title")) or text(entry.get("text"), 80) or f"step {order}",
            body=text(entry.get("text"), 2000),
            options=tuple(filter(None, map(text, _list(entry.get("options"))))),
            is_decision=entry.get("kind") == "decision",
            mentions=tuple(_mentions(_list(entry.get("mentions")))),
            answer=text(entry.get("answer")),
            is_over=entry.get("state") in ("done", "skipped"),
            is_untouched=entry.get("state") == "pending",
            attempt=attempt if isinstance(attempt := entry.get("attempt"), int) else 1,
            leads={text(name): to for name, to in fields(entry.get("leads")).items() if isinstance(to, int)},
        )


def _mentions(entries: list[JsonValue]) -> Iterator[Mention]:
    for entry in map(fields, entries):
        tool = text(entry.get("tool")).lstrip("@")
        if tool:
            yield Mention(
                tool=tool,
                arguments=fields(entry.get("arguments")),
                unresolved=tuple(filter(None, map(text, _list(entry.get("unresolved"))))),
                ask=entry.get("ask") is True,
            )


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def plural(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


Wording = Callable[[Case], str]
