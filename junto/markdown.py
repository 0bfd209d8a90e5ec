"""Markdown of strangers and models, made inert: rendering it loads nothing, runs nothing and leads nowhere (I22)."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

#: Tags that survive. No link, no image, nothing that fetches.
INERT_TAGS = {
    *("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}

_parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
_parser.disable(["image", "autolink"])


def render_inert(text: str) -> SafeString:
    """`text` as HTML without links, images, attributes or raw HTML; the words of a link stay, its address goes."""
    html = _parser.render(text)
    return mark_safe(nh3.clean(html, tags=INERT_TAGS, attributes={}))  # noqa: S308 - cleaned just now
