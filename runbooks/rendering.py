"""A runbook's Markdown as HTML: mentions as chips, checklists, callouts, own pictures, diagrams as their source.

Nothing raw comes through and nothing is loaded from elsewhere. A diagram stays text here: the browser draws it in a
frame that can reach nothing (static/runbooks/diagrams.js).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from uuid import UUID

import nh3
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from runbooks.document import CALLOUTS, RunbookDocument, parse

TAGS: Final = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span", "img"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "figure"),
}
HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
ATTRIBUTES: Final = {
    "a": {"href"},
    "span": {"class"},
    "ol": {"start"},
    "blockquote": {"class"},
    "figure": {"class"},
    "img": {"src", "alt", "loading"},
    **{tag: {"id"} for tag in HEADINGS},
}
#: How a runbook names a picture of its organization: `![what it shows](image:<id>)`.
IMAGE_SCHEME: Final = "image:"
#: Fewer headings than this need no table of contents.
CONTENTS_FROM: Final = 3

_MENTION = re.compile(r"(?<![\w@.])@([A-Za-z]\w*\.[A-Za-z]\w*)")
_CALLOUT = re.compile(r"\[!([A-Za-z]+)\][ \t]*")
_BOX = re.compile(r"\[([ xX])\]\s+")


@dataclass(frozen=True)
class Heading:
    """An entry of the table of contents; `anchor` is the id of the heading in the HTML."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class DrawnDocument:
    """The HTML of a runbook, its headings where there are enough of them to list, and whether it holds diagrams."""

    html: SafeString
    contents: tuple[Heading, ...]
    has_diagrams: bool


def draw_document(markdown: str) -> DrawnDocument:
    """The text as inert HTML: links lead only to http, https and mailto, pictures are the organization's own.

    Needs the URLs of an organization, as they are during its requests.
    """
    tokens = _parser.parse(markdown)
    _name_decisions(tokens, parse(markdown))
    headings = tuple(_headings(tokens))
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto"})
    return DrawnDocument(
        html=mark_safe(clean),  # noqa: S308 - cleaned just now
        contents=headings if len(headings) >= CONTENTS_FROM else (),
        has_diagrams=any(_is_diagram(token) for token in tokens),
    )


def _headings(tokens: Sequence[Token]) -> list[Heading]:
    """All headings, each with an anchor of its own, which is also written to its token."""
    found: list[Heading] = []
    taken: set[str] = set()
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(
            f"@{child.content}" if child.type == "mention" else child.content for child in inline.children or []
        )
        # the prefix keeps a heading from taking the place of an element that the page knows by its id
        name = wanted = f"part-{slugify(text)[:60] or 'untitled'}"
        while name in taken:
            name = f"{wanted}-{len(taken)}"
        taken.add(name)
        opening.attrSet("id", name)
        found.append(Heading(int(opening.tag[1]), text, name))
    return found


def _mark_up(state: StateCore) -> None:
    """Turn mentions, check boxes and callout heads in plain text into tokens of their own; code is left alone."""
    for place, block in enumerate(state.tokens):
        children = block.children or []
        if block.type != "inline" or not children:
            continue
        if children[0].type == "text":
            children[0].content = _BOX.sub(lambda box: "☐ " if box[1] == " " else "☑ ", children[0].content, count=1)
            head = _CALLOUT.match(children[0].content)
            if head is not None and head[1].upper() in CALLOUTS:
                _name_callout(state.tokens[:place], head[1].lower())
        block.children = [part for child in children for part in _split(child)]


def _name_callout(before: Sequence[Token], kind: str) -> None:
    """Mark the quote that the paragraph just begun stands in."""
    if len(before) >= 2 and before[-2].type == "blockquote_open":
        before[-2].attrSet("class", f"callout callout-{kind}")


def _name_decisions(tokens: Sequence[Token], document: RunbookDocument) -> None:
    """Write before each decision what it is called, where no number stands before it."""
    names = {step.line: step.label for step in document.steps if step.kind == "decision" and not step.label.isdigit()}
    head = ""
    for token in tokens:
        if token.type == "blockquote_open" and token.map:
            head = names.get(token.map[0] + 1, "")
        for child in token.children or []:
            if head and child.type == "callout":
                child.content, head = f"{child.content} {head}", ""


def _split(token: Token) -> list[Token]:
    if token.type != "text":
        return [token]
    parts: list[Token] = []
    position = 0
    head = _CALLOUT.match(token.content)
    if head is not None and head[1].upper() in CALLOUTS:
        parts.append(_made("callout", head[1].capitalize()))
        position = head.end()
    for mention in _MENTION.finditer(token.content, position):
        parts += [_made("text", token.content[position : mention.start()]), _made("mention", mention[1])]
        position = mention.end()
    return [*parts, _made("text", token.content[position:])]


def _made(kind: str, content: str) -> Token:
    token = Token(kind, "", 0)
    token.content = content
    return token


def _is_diagram(token: Token) -> bool:
    return token.type == "fence" and token.info.strip().lower() == "mermaid"


@dataclass(frozen=True)
class NamedPicture:
    """A picture of the organization's own that a text names; `id` is None where that can be no picture's."""

    id: UUID | None
    line: int


def named_pictures(markdown: str) -> tuple[NamedPicture, ...]:
    """Every `image:<id>` of a text, with its line."""
    found, line = [], 1
    for token in _parser.parse(markdown):
        line = token.map[0] + 1 if token.map else line
        at = line
        for child in token.children or []:
            at += child.type in ("softbreak", "hardbreak")
            address = child.attrGet("src") if child.type == "image" else None
            if isinstance(address, str) and address.startswith(IMAGE_SCHEME):
                found.append(NamedPicture(_image_id(address), at))
    return tuple(found)


def _image_id(address: object) -> UUID | None:
    """The id in `image:<id>`; None for any other address."""
    if not isinstance(address, str) or not address.startswith(IMAGE_SCHEME):
        return None
    try:
        return UUID(address.removeprefix(IMAGE_SCHEME))
    except ValueError:
        return None


def _mention_html(renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    return f'<span class="badge mono">@{escape(tokens[place].content)}</span>'


def _callout_html(renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    return f"<strong>{escape(tokens[place].content)}:</strong> "


def _image_html(renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    """One of the organization's own pictures; for any other the words that stand for it."""
    token = tokens[place]
    alt = escape(token.content)
    picture = _image_id(token.attrGet("src"))
    if picture is None:
        return f"<em>{alt or 'picture'} (not shown: only uploaded pictures are)</em>"
    return f'<img src="{reverse("runbook-image", args=[picture])}" alt="{alt}" loading="lazy">'


def _fence_html(renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    code = f"<pre><code>{escape(tokens[place].content)}</code></pre>"
    return f'<figure class="diagram">{code}</figure>' if _is_diagram(tokens[place]) else code


_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_parser.core.ruler.push("junto", _mark_up)
_parser.add_render_rule("mention", _mention_html)
_parser.add_render_rule("callout", _callout_html)
_parser.add_render_rule("image", _image_html)
_parser.add_render_rule("fence", _fence_html)
