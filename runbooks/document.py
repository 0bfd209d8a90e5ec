"""Reading a runbook's Markdown: its steps, decisions, tool mentions, and what is wrong with it. Pure.

Steps are the items of numbered lists and of checklists. A section (a heading with what follows) that mentions a tool
outside such a list is a step too, and in a text without lists every section is one.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markdown_it.utils import EnvType
from pydantic import JsonValue

from runbooks.mentions import Binding, Constant, FactReference, InputReference, Mention, Problem, Scan, scan_mentions
from runbooks.numbering import Target, called, follow, heading_number
from signals.facts import SignalFacts, vendor_id

__all__ = [
    "Binding",
    "Constant",
    "FactReference",
    "InputReference",
    "Mention",
    "Problem",
    "ResolvedArguments",
    "RunbookDocument",
    "Step",
    "fact_value",
    "parse",
    "resolve",
    "undeclared_inputs",
]

TITLE_LENGTH = 120
CALLOUTS = frozenset({"NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION", "DECISION"})

_LINE_END = re.compile(r"\r\n|\r|\n")
_CALLOUT = re.compile(r"\[!([A-Za-z]+)\][ \t]*(.*)", re.DOTALL)
_CHECKBOX = re.compile(r"\[[ xX]\]\s+")
_CALL = re.compile(r"(@\w+\.\w+)(?:\([^()\n]*\))+|[ \t]*\([ \t]*ask[ \t]*\)")
_MARKS = re.compile(r"[*`~]|(?<!\w)_|_(?!\w)")

# the inline rule is off: inline text is scanned as it was written, as emphasis inside arguments is no emphasis
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_markdown.core.ruler.disable(["inline"])


@dataclass(frozen=True)
class Step:
    """One step. A decision asks a technician and has `options`; `text` is Markdown as written.

    `number` counts the steps from 1; `label` is what people know it by (see `runbooks.numbering`). `leads` holds the
    number of the later step that an option leads to, for those that name one; for those that stop the run (`stops`) it
    is the number behind the last step.
    """

    number: int
    label: str
    title: str
    text: str
    kind: Literal["step", "decision"]
    options: tuple[str, ...]
    mentions: tuple[Mention, ...]
    line: int
    leads: Mapping[str, int] = field(default_factory=dict)
    stops: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RunbookDocument:
    """A parsed runbook. With `problems` it cannot be published."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """All mentions in the order of the steps."""
        return tuple(chain.from_iterable(step.mentions for step in self.steps))

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the mentioned tools, each once, in order."""
        return tuple(dict.fromkeys(mention.tool for mention in self.mentions))


@dataclass(frozen=True)
class ResolvedArguments:
    """The bound arguments of one mention with their values; `unresolved` names those whose fact or input is missing."""

    arguments: dict[str, JsonValue]
    unresolved: tuple[str, ...]


def parse(markdown: str) -> RunbookDocument:
    """The document of a text. Never raises: what is not understood becomes a problem with its line."""
    return _Reader(markdown).read()


def undeclared_inputs(document: RunbookDocument, declared: Collection[str]) -> tuple[Problem, ...]:
    """A problem for each use of an input that the runbook does not declare."""
    return tuple(
        Problem(mention.line, f"@{mention.tool} uses input.{binding.name}, which is not declared.")
        for mention in document.mentions
        for binding in mention.bindings.values()
        if isinstance(binding, InputReference) and binding.name not in declared
    )


def resolve(mention: Mention, facts: SignalFacts, inputs: Mapping[str, JsonValue]) -> ResolvedArguments:
    """The values of a mention's bound arguments for one signal and the inputs given for this run."""
    values = {name: _value_of(binding, facts, inputs) for name, binding in mention.bindings.items()}
    return ResolvedArguments(
        arguments={name: value for name, value in values.items() if value is not None},
        unresolved=tuple(name for name, value in values.items() if value is None),
    )


def _value_of(binding: Binding, facts: SignalFacts, inputs: Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(binding, Constant):
        return binding.value
    if isinstance(binding, InputReference):
        return inputs.get(binding.name)
    return fact_value(binding.path, facts)


def fact_value(path: str, facts: SignalFacts) -> JsonValue:
    """The value at one of FACT_PATHS; None where the signal has none."""
    subject, _, part = path.removeprefix("ticket.").partition(".")
    if subject == "id":
        return vendor_id(facts.external_id) if facts.vendor else None
    if subject == "board":
        return vendor_id(facts.board_id) if facts.board_id else None
    if subject == "company":
        company_id = facts.company_external_ids.get(facts.vendor)
        return facts.company or None if part == "name" else vendor_id(company_id) if company_id else None
    record = facts.contact if subject == "contact" else facts.device
    if record is None:
        return None
    if part in ("", "id"):
        return vendor_id(record.external_id)
    text: str = getattr(record, part)
    return text or None


@dataclass(frozen=True)
class _Option:
    """An answer of a decision: as its button shows it, and all that it says."""

    title: str
    text: str
    line: int


@dataclass(frozen=True)
class _Draft:
    """A step before it is called by anything; `number` is the one that the text puts before it."""

    title: str
    text: str
    line: int
    scan: Scan
    options: tuple[_Option, ...] | None = None
    number: int | None = None


@dataclass(frozen=True)
class _Section:
    """A heading (None before the first one) with the blocks that follow it."""

    heading: SyntaxTreeNode | None
    blocks: tuple[SyntaxTreeNode, ...]
    is_container: bool


class _Reader:
    def __init__(self, markdown: str) -> None:
        # the same ends of lines as the parser counts
        self.lines = _LINE_END.split(markdown)
        self.found: EnvType = {}
        self.root = SyntaxTreeNode(_markdown.parse(markdown, self.found))
        self.problems: list[Problem] = []

    def read(self) -> RunbookDocument:
        sections = list(_sections(self.root.children))
        by_lists = any(_is_step_list(block) for block in self.root.children)
        drafts = [draft for section in sections for draft in self._section(section, by_lists=by_lists)]
        if not drafts:
            self.problems.append(Problem(1, "There are no steps: number them (1., 2., ...) or give each a heading."))
        names = called([draft.number for draft in drafts])
        steps = [
            Step(
                number=number,
                label=names[number - 1],
                title=draft.title,
                text=draft.text,
                kind="step" if draft.options is None else "decision",
                options=tuple(option.title for option in draft.options or ()),
                mentions=draft.scan.mentions,
                line=draft.line,
                leads={option: target.place for option, target in targets.items()},
                stops=frozenset(option for option, target in targets.items() if target.stops),
            )
            for number, draft in enumerate(drafts, start=1)
            for targets in [self._targets(draft.options or (), at=number, names=names)]
        ]
        found = chain(self.problems, *(draft.scan.problems for draft in drafts))
        return RunbookDocument(tuple(steps), tuple(sorted(found, key=lambda problem: problem.line)))

    def _section(self, section: _Section, *, by_lists: bool) -> Iterator[_Draft]:
        """Steps of one section in their order: prose where it counts as a step, list items, decisions."""
        prose: list[SyntaxTreeNode] = []
        blocks = list(section.blocks)
        position = 0
        while position < len(blocks):
            block = blocks[position]
            position += 1
            if _callout(block) == "DECISION":
                yield from self._prose(section, prose, by_lists=by_lists)
                prose = []
                following = blocks[position] if position < len(blocks) else None
                options = None if _list_inside(block) else following
                yield self._decision(block, options)
                position += bool(options is not None and options.type in ("bullet_list", "ordered_list"))
            elif _is_step_list(block):
                yield from self._prose(section, prose, by_lists=by_lists)
                prose = []
                for number, item in enumerate(block.children, start=int(block.attrs.get("start", 1))):
                    yield from self._item(item, number=number if block.type == "ordered_list" else None)
            else:
                prose.append(block)
        yield from self._prose(section, prose, by_lists=by_lists)
        if not section.blocks and not section.is_container and not by_lists and section.heading is not None:
            line = _line(section.heading)
            self.problems.append(Problem(line, f"The step “{_plain(_text(section.heading))}” is empty."))

    def _prose(self, section: _Section, blocks: Sequence[SyntaxTreeNode], *, by_lists: bool) -> Iterator[_Draft]:
        """The section itself as a step: always in a text without step lists, else only where it mentions a tool."""
        scan = self._scan([*([section.heading] if section.heading else []), *blocks])
        self._check_callouts(blocks)
        if not blocks or not (scan.mentions or not by_lists):
            self.problems.extend(scan.problems)
            return
        first = section.heading or blocks[0]
        number, title = (None, _text(first)) if by_lists else heading_number(_text(first))
        named = _plain(title) or "Untitled"
        yield _Draft(title=named, text=self._source(blocks), line=_line(first), scan=scan, number=number)

    def _item(self, item: SyntaxTreeNode, *, number: int | None) -> Iterator[_Draft]:
        """One item of a numbered list or checklist; decisions inside it become steps behind it.

        A decision that is all there is in the item bears its number.
        """
        decisions = [block for block in item.children if _callout(block) == "DECISION"]
        own = [block for block in item.children if block not in decisions]
        self._check_callouts(own)
        text = _CHECKBOX.sub("", self._source(own), count=1)
        title = _plain(_text(own[0])) if own else ""
        if not text.strip():
            if not decisions:
                self.problems.append(Problem(_line(item), "This step is empty."))
        else:
            scan = self._scan(own)
            yield _Draft(title=title or "Untitled", text=text, line=_line(item), scan=scan, number=number)
            number = None
        for block in decisions:
            yield replace(self._decision(block, None), number=number)
            number = None

    def _decision(self, block: SyntaxTreeNode, following: SyntaxTreeNode | None) -> _Draft:
        """`> [!DECISION] question`, its options inside the quote or as the list behind it."""
        inside = _list_inside(block)
        choices = inside or following
        is_list = choices is not None and choices.type in ("bullet_list", "ordered_list")
        items = choices.children if choices and is_list else ()
        found = (_Option(_plain(_text(item)), _text(item), _line(item)) for item in items)
        options = tuple(option for option in found if option.title)
        question = _CALLOUT.match(_text(block))
        title = _plain(question[2]) if question else ""
        line = _line(block)
        if not title:
            self.problems.append(Problem(line, "This decision asks nothing: write the question behind [!DECISION]."))
        if not options:
            self.problems.append(Problem(line, "This decision has no options: list them below the question."))
        scanned = [block] if inside or not is_list or choices is None else [block, choices]
        return _Draft(title=title or "Decision", text=title, line=line, scan=self._scan(scanned), options=options)

    def _targets(self, options: Sequence[_Option], *, at: int, names: Sequence[str]) -> dict[str, Target]:
        """Where those options lead that name a step or stop; one that cannot be gone to is a problem."""
        targets: dict[str, Target] = {}
        for option in options:
            words = _MARKS.sub("", _CALL.sub(lambda call: call[1] or "", option.text))
            target = follow(words, at=at, names=names)
            if target.problem:
                self.problems.append(Problem(option.line, f"The answer “{option.title}” {target.problem}"))
            if target.place:
                targets[option.title] = target
        return targets

    def _check_callouts(self, blocks: Sequence[SyntaxTreeNode]) -> None:
        for block in blocks:
            kind = _callout(block)
            if kind and kind not in CALLOUTS:
                known = ", ".join(sorted(CALLOUTS))
                self.problems.append(Problem(_line(block), f"[!{kind}] is not known; there are {known}."))

    def _scan(self, blocks: Sequence[SyntaxTreeNode]) -> Scan:
        """All mentions in the blocks, in order."""
        scans = [
            scan_mentions(inline.content, line=_line(inline), document=self.found)
            for block in blocks
            for inline in block.walk()
            if inline.type == "inline"
        ]
        return Scan(
            tuple(chain.from_iterable(scan.mentions for scan in scans)),
            tuple(chain.from_iterable(scan.problems for scan in scans)),
        )

    def _source(self, blocks: Sequence[SyntaxTreeNode]) -> str:
        """The lines of the blocks as they were written, without the indent and marker of their list."""
        spans = [block.map for block in blocks if block.map]
        if not spans:
            return ""
        lines = self.lines[spans[0][0] : spans[-1][1]]
        first = _LIST_MARKER.sub("", lines[0], count=1)
        rest = textwrap.dedent("\n".join(lines[1:]))
        return f"{first.strip()}\n{rest}".strip()


_LIST_MARKER = re.compile(r"^\s*(?:\d{1,9}[.)]|[-+*])(?:\s+|$)")


def _sections(blocks: Sequence[SyntaxTreeNode]) -> Iterator[_Section]:
    """The blocks under each heading. A container is a heading followed at once by a deeper one, or the first title."""
    heading: SyntaxTreeNode | None = None
    held: list[SyntaxTreeNode] = []
    for block in blocks:
        if block.type != "heading":
            held.append(block)
            continue
        if heading is not None or held:
            contains = heading is not None and not held and block.tag > heading.tag
            yield _Section(heading, tuple(held), contains)
        heading, held = block, []
    if heading is not None or held:
        yield _Section(heading, tuple(held), False)


def _is_step_list(block: SyntaxTreeNode) -> bool:
    if block.type == "ordered_list":
        return True
    return block.type == "bullet_list" and any(_CHECKBOX.match(f"{_text(item)} ") for item in block.children)


def _callout(block: SyntaxTreeNode) -> str:
    """The word of `> [!WORD]`, in capitals; empty for other blocks."""
    found = _CALLOUT.match(_text(block)) if block.type == "blockquote" else None
    return found[1].upper() if found else ""


def _list_inside(block: SyntaxTreeNode) -> SyntaxTreeNode | None:
    return next((child for child in block.children if child.type in ("bullet_list", "ordered_list")), None)


def _text(block: SyntaxTreeNode) -> str:
    """The first piece of inline text in a block, as written."""
    return next((node.content for node in block.walk() if node.type == "inline"), "")


def _plain(text: str) -> str:
    """The first line without marks and arguments, short enough for a title."""
    first = _CHECKBOX.sub("", text.strip(), count=1).split("\n")[0]
    line = _MARKS.sub("", _CALL.sub(lambda call: call[1] or "", first)).strip()
    return line if len(line) <= TITLE_LENGTH else textwrap.shorten(line, TITLE_LENGTH, placeholder="…")


def _line(block: SyntaxTreeNode) -> int:
    """The line a block begins at, from 1; cells of tables do not know theirs, but their row does."""
    node: SyntaxTreeNode | None = block
    while node is not None and not node.is_root:
        if node.map:
            return node.map[0] + 1
        node = node.parent
    return 1
