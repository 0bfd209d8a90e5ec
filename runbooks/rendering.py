"""A runbook's Markdown as HTML: mentions as chips, checklists and callouts in words, nothing raw, nothing loaded."""

from __future__ import annotations

import re
from typing import Final

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from runbooks.document import CALLOUTS

TAGS: Final = {
    *("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES: Final = {"a": {"href"}, "span": {"class"}, "ol": {"start"}}

_MENTION = re.compile(r"(?<![\w@.])@([A-Za-z]\w*\.[A-Za-z]\w*)")
_CALLOUT = re.compile(r"\[!([A-Za-z]+)\][ \t]*")
_BOX = re.compile(r"\[([ xX])\]\s+")


def render_document(markdown: str) -> SafeString:
    """The text as inert HTML: links lead only to http, https and mailto, images are left out."""
    html = _parser.render(markdown)
    clean = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto"})
    return mark_safe(clean)  # noqa: S308 - cleaned just now


def _mark_up(state: StateCore) -> None:
    """Turn mentions, check boxes and callout heads in plain text into tokens of their own; code is left alone."""
    for block in state.tokens:
        children = block.children or []
        if block.type == "inline" and children and children[0].type == "text":
            children[0].content = _BOX.sub(lambda box: "☐ " if box[1] == " " else "☑ ", children[0].content, count=1)
        block.children = [part for child in children for part in _split(child)] if children else block.children


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


def _mention_html(renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    return f'<span class="badge mono">@{escape(tokens[place].content)}</span>'


def _callout_html(renderer: RendererHTML, tokens: list[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    return f"<strong>{escape(tokens[place].content)}:</strong> "


_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_parser.disable("image")
_parser.core.ruler.push("junto", _mark_up)
_parser.add_render_rule("mention", _mention_html)
_parser.add_render_rule("callout", _callout_html)
