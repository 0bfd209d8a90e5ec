"""HTML made plain: the words of texts that people typed, line by line."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from integrations.words import MEANING, REMOVED, SECRET_WORD

LONGEST_HTML = 500_000
"""What stands behind that many characters of markup is not read."""

_BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "hr"}
    | {"dl", "dt", "section", "article", "header", "footer", "legend"}
)
_LINES = frozenset(("li", "tr", "br", "dt"))
_CELLS = frozenset(("td", "th", "dt", "dd"))
_ROWS = frozenset(("tr", "dl", "table", "thead", "tbody"))
_SILENT = frozenset(("script", "style", "template", "noscript"))
#: Characters of a table's cell up to which it is one line, so that what stands beside it stays beside it.
_SHORT_CELL = 200
_BAR = " | "
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_BEFORE_POINTS = re.compile(r"(?<!\n)\n++(?=- )")
_ENDS_IN_SECRET = re.compile(rf"{SECRET_WORD}[*_`~\s]*\Z", re.IGNORECASE)
_SECRET_TAG = re.compile(rf"(?:.*[:._\-])?(?:{MEANING})(?:[:._\-].*)?", re.IGNORECASE)
#: Elements of HTML, of Outlook's own, and what is called like a password. What else stands in "<...>" is no tag:
#: a placeholder as "<user>", a mail address, a line of a configuration.
_KNOWN = (
    r"[abipqsu](?=\s*/?>|\s+[\w:\-]{1,30}\s*=)|abbr|acronym|area|article|aside|audio|base|basefont|bdi|bdo|big|blockquote|body|br|button|canvas|caption|center"
    r"|cite|col|colgroup|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form"
    r"|frame|frameset|h[1-6]|head|header|hgroup|hr|html|iframe|img|ins|kbd|legend|li|mark|menu|meta|meter|nav|ol"
    r"|optgroup|option|picture|pre|progress|rp|rt|ruby|samp|section|small|span|strike|strong|sub|sup|svg|table|tbody"
    r"|td|textarea|tfoot|th|thead|tr|track|tt|ul|video|wbr|(?:o|v|w|x|m|st1):[a-z]{1,30}"
)
#: Elements that people write as placeholders, too ("ssh <address>"), or that hide what follows: only where they end.
_TO_BE_CLOSED = (
    r"address|code|data|input|label|link|main|map|noscript|object|output|param|script|select|source|style|summary"
    r"|template|time|title|var"
)
_NO_TAG = re.compile(
    rf"<(?!/?(?:{_KNOWN})(?=[\s/>])|/?(?:{_TO_BE_CLOSED})(?=[\s/>])"
    rf"|/?(?:[\w.\-]{{1,40}}[:.\-_])?(?:{MEANING})(?:[:._\-][\w:.\-]{{0,40}})?(?=[\s/>])|!--|!doctype\b|!\[|\?xml\b)",
    re.IGNORECASE,
)
_OPENING = re.compile(rf"<(?:(?P<tag>{_TO_BE_CLOSED})(?=[\s/>])|(?P<remark>!--|!\[|\?xml))", re.IGNORECASE)


class _Plain(HTMLParser):
    """Collects words; blocks become lines, cells are parted by bars, and what a secret's own tag holds is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._is_row = False
        self._cell: int | None = None
        self._secrets: dict[str, int] = {}
        self._ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _CELLS or tag in _ROWS:
            self._end_cell()
            self._is_row = True
        if tag in _SILENT:
            self._silent += 1
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in _BLOCKS:
            self.parts.append("\n")
            self._ended = False
        elif self._ended and _ENDS_IN_SECRET.search("".join(self.parts[-4:])[-80:]):
            self.parts.append(_BAR)
        if tag in _CELLS:
            self._cell = len(self.parts)
        elif len(tag) <= 100 and _SECRET_TAG.fullmatch(tag):
            self._secrets[tag] = len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        self._ended = tag not in _BLOCKS
        if tag in self._secrets:
            self.parts[self._secrets.pop(tag) :] = [f" {tag}: {REMOVED} "]
        if tag in _SILENT:
            self._silent = max(self._silent - 1, 0)
        elif tag in _CELLS:
            self._end_cell()
        elif tag in _BLOCKS and tag not in _LINES:
            self.parts.append("\n")
        if tag in ("dl", "table"):
            self._is_row = False

    def handle_data(self, data: str) -> None:
        if self._silent or (self._is_row and self._cell is None and not data.strip()):
            return
        if self._ended and data[:1].isalnum() and _ENDS_IN_SECRET.search("".join(self.parts[-4:])[-80:]):
            self.parts.append(_BAR)  # "<font>Password</font>x"
        self._ended = self._ended and not data.strip()
        self.parts.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        words = "".join(self.parts[self._cell :])
        if len(words) <= _SHORT_CELL:
            self.parts[self._cell :] = [" ".join(words.split())]
        self.parts.append(_BAR)
        self._cell = None


def plain(html: str) -> str:
    """The words of a piece of HTML, line by line. What is no HTML comes back as it is, but for its spaces."""
    reader = _Plain()
    tags, end, words = _without_false_tags(html[:LONGEST_HTML]).replace("\r", "").rpartition(">")
    reader.feed(f"{tags}{end}{words.replace('<', '&lt;')}")  # no tag ends there, and looking for one takes for ever
    reader.close()
    lines = (_SPACES.sub(" ", line).strip(" ") for line in "".join(reader.parts).split("\n"))
    text = "\n".join(line.removesuffix("|").rstrip() for line in lines)
    return _EMPTY_LINES.sub("\n\n", _BEFORE_POINTS.sub("\n", text)).strip()


def _without_false_tags(html: str) -> str:
    """The same, with "&lt;" for what begins no tag, and for what begins one that never ends but has to."""
    lower = html.lower()
    ends: dict[str, int] = {}

    def kept(found: re.Match[str]) -> str:
        tag = (found["tag"] or "").lower()
        end = f"</{tag}" if tag else {"!--": "-->", "![": "]", "?xml": ">"}[found["remark"].lower()]
        if end not in ends:
            ends[end] = lower.rfind(end)
        return found[0] if found.start() < ends[end] else f"&lt;{found[0][1:]}"

    return _NO_TAG.sub("&lt;", _OPENING.sub(kept, html))
