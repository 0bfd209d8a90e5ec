"""Finding `@vendor.verb_noun(name=value, ...) (ask)` in a piece of Markdown, and reading its bound arguments. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.utils import EnvType

#: Facts of the signal that an argument may be bound to (PRODUCT 4), in words. Nothing that the ticket's author wrote
#: is one.
FACT_WORDS: Final = {
    "ticket.id": "the ticket",
    "ticket.board": "the ticket's board",
    "ticket.company": "the ticket's company",
    "ticket.company.id": "the number of the ticket's company",
    "ticket.company.name": "the name of the ticket's company",
    "ticket.contact": "the ticket's contact",
    "ticket.contact.id": "the number of the ticket's contact",
    "ticket.contact.name": "the name of the ticket's contact",
    "ticket.contact.email": "the e-mail address of the ticket's contact",
    "ticket.device": "the ticket's device",
    "ticket.device.id": "the number of the ticket's device",
    "ticket.device.name": "the name of the ticket's device",
}
FACT_PATHS: Final = frozenset(FACT_WORDS)

# letters of either case, so that a misspelt mention is found and named as unknown rather than passed over
_MENTION = re.compile(r"(?<![\w@.\\])@([A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*)")
_ASK = re.compile(r"[ \t]*\([ \t]*ask[ \t]*\)")
_BLANK = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?(?![\w.])")
_WORD = re.compile(r"(true|false)(?![\w.])")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CODE_FENCE = re.compile(r"`+")
# reads a paragraph as `runbooks.rendering` draws it
_inline = MarkdownIt("commonmark", {"html": False, "store_labels": True}).enable("strikethrough")


@dataclass(frozen=True)
class Problem:
    """Something in a runbook's text that must be put right; `line` counts from 1."""

    line: int
    message: str


@dataclass(frozen=True)
class Constant:
    """An argument bound to a value written in the runbook."""

    value: str | int | float | bool


@dataclass(frozen=True)
class InputReference:
    """An argument bound to a declared input (`input.<name>`)."""

    name: str


@dataclass(frozen=True)
class FactReference:
    """An argument bound to a fact of the signal that the server resolves; one of FACT_PATHS."""

    path: str


Binding = Constant | InputReference | FactReference


@dataclass(frozen=True)
class Mention:
    """A tool mentioned in a step. `ask` keeps it under approval in unattended runs; without bindings it is unbound."""

    tool: str
    ask: bool
    line: int
    bindings: Mapping[str, Binding] = field(default_factory=dict)

    @property
    def bound(self) -> bool:
        """Whether the text says which arguments to use."""
        return bool(self.bindings)


@dataclass(frozen=True)
class Scan:
    """What a piece of text mentions, and what is wrong in it."""

    mentions: tuple[Mention, ...]
    problems: tuple[Problem, ...]


class _NotUnderstood(ValueError):
    """The bound arguments break the grammar; says where."""


def scan_mentions(text: str, *, line: int, document: EnvType) -> Scan:
    """The mentions in inline Markdown that begins at `line`; code spans are left out. Never raises.

    `document` is what the parser found in the whole text: the addresses that links and pictures are given by reference.
    A mention whose arguments are not understood counts as `(ask)`, so that a slip of the pen never becomes a grant. One
    that readers would not see, or would see struck through, is a problem.
    """
    mentions: list[Mention] = []
    problems: list[Problem] = []
    unseen, struck = _not_plain(text, document)
    for found in _outside_code(text):
        at = line + text.count("\n", 0, found.start())
        end, broken = found.end(), ""
        bindings: dict[str, Binding] = {}
        if text.startswith("(", end) and not _ASK.match(text, end):
            try:
                bindings, end = _read_arguments(text, end + 1)
            except _NotUnderstood as error:
                broken = str(error)
        if broken:
            problems.append(Problem(at, f"The arguments of @{found[1]} are not understood: {broken}"))
        if found[1].upper() in unseen:
            words = "stands inside a link or picture, where readers do not see it: write it as text."
            problems.append(Problem(at, f"@{found[1]} {words}"))
        elif found[1].upper() in struck:
            problems.append(Problem(at, f"@{found[1]} is struck through. A struck step still counts: delete it."))
        ask = bool(broken) or _ASK.match(text, end) is not None
        mentions.append(Mention(tool=found[1], ask=ask, line=at, bindings=bindings))
    return Scan(tuple(mentions), tuple(problems))


def _not_plain(text: str, document: EnvType) -> tuple[set[str], set[str]]:
    """Names after an at sign, in capitals, that are not drawn as text, and those that are drawn struck through.

    Not drawn are the addresses and titles of links, the names of links by reference, and all of a picture.
    """
    if not ("[" in text or "~~" in text) or not _MENTION.search(text):
        return set(), set()
    [block] = _inline.parseInline(text, document)
    hidden: list[str] = []
    struck: list[str] = []
    strikes = 0
    for token in block.children or []:
        strikes += (token.type == "s_open") - (token.type == "s_close")
        if token.type in ("link_open", "image") and token.markup != "autolink":
            # a name by reference is kept in capitals
            hidden += [*map(str, token.attrs.values()), token.content, token.meta.get("label", "")]
        elif strikes:
            struck.append(token.content)
    return _named(hidden), _named(struck)


def _named(texts: Iterable[str]) -> set[str]:
    return {found[1].upper() for words in texts for found in _MENTION.finditer(words)}


def _outside_code(text: str) -> Iterator[re.Match[str]]:
    """Matches of a mention that stand in no code span; a span ends at as many backticks as it began with."""
    position = 0
    while found := _MENTION.search(text, position):
        opening = _CODE_FENCE.search(text, position, found.start())
        if opening is None:
            yield found
            position = found.end()
            continue
        closing = next((run for run in _CODE_FENCE.finditer(text, opening.end()) if run[0] == opening[0]), None)
        position = opening.end() if closing is None else closing.end()


def _read_arguments(text: str, position: int) -> tuple[dict[str, Binding], int]:
    """`name=value, ...)` from behind the parenthesis; the bindings and the place behind the closing one."""
    bindings: dict[str, Binding] = {}
    while True:
        position = _skip(text, position)
        if text.startswith(")", position) and not bindings:
            return bindings, position + 1
        name = _NAME.match(text, position)
        equals = _skip(text, name.end()) if name else position
        if name is None or not text.startswith("=", equals):
            raise _NotUnderstood(f"name=value is expected at “{_excerpt(text, position)}”.")
        if name[0] in bindings:
            raise _NotUnderstood(f"{name[0]} is given twice.")
        bindings[name[0]], position = _read_value(text, _skip(text, equals + 1))
        position = _skip(text, position)
        if text.startswith(")", position):
            return bindings, position + 1
        if not text.startswith(",", position):
            raise _NotUnderstood(f"a comma or a closing parenthesis is expected at “{_excerpt(text, position)}”.")
        position += 1


def _read_value(text: str, position: int) -> tuple[Binding, int]:
    if string := _STRING.match(text, position):
        quoted = string[1] if string[1] is not None else string[2]
        return Constant(_ESCAPE.sub(r"\1", quoted)), string.end()
    if number := _NUMBER.match(text, position):
        return Constant(float(number[0]) if "." in number[0] else int(number[0])), number.end()
    if word := _WORD.match(text, position):
        return Constant(word[1] == "true"), word.end()
    if path := _PATH.match(text, position):
        return _reference(path[0]), path.end()
    raise _NotUnderstood(
        f"a value is expected at “{_excerpt(text, position)}”: a quoted text, a number, true, false, "
        "input.<name> or a fact such as ticket.contact."
    )


def _reference(path: str) -> Binding:
    head, _, rest = path.partition(".")
    if head == "input" and "." not in rest:
        return InputReference(rest)
    if path in FACT_PATHS:
        return FactReference(path)
    raise _NotUnderstood(f"{path} is no fact of a ticket; there are {', '.join(sorted(FACT_PATHS))}.")


def _skip(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position


def _excerpt(text: str, position: int) -> str:
    return text[position : position + 20].partition("\n")[0] or "the end"
