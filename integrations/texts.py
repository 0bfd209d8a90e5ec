"""Texts that people typed into a system of records, made short, plain and without the passwords that stand in them.

What is shown was written by strangers and stays foreign text. Redaction is a net below the real rule, that values of
passwords are never asked for: it finds what is called a password and what looks like a key, and cannot find all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

LONGEST_HTML = 500_000
"""What stands behind that many characters of markup is not read."""

REMOVED = "[removed: looks like a password]"

_BLOCKS = frozenset(
    ("p", "div", "br", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "hr")
)
_LINES = frozenset(("li", "tr", "br"))
_CELLS = frozenset(("td", "th"))
_SILENT = frozenset(("script", "style", "template", "noscript"))
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_BEFORE_POINTS = re.compile(r"\n+(?=- )")
_MEANING = (
    r"pass(?:phrase|code|wd)?s?|passwd|pwd|psw|pw|psk|pin|pass[- ]?key|pre[- ]?shared key|wi-?fi key|wpa2? key"
    r"|\w{0,30}(?:password|passwort|kennwort|kennwörter|wachtwoord)s?|schlüssel|mot de passe|mdp|contraseña|clave"
    r"|senha|palavra-passe|hasło|(?:client )?secret|(?:api|access|auth|private|recovery|licen[cs]e)[- ]?key"
    r"|token|otp(?: seed)?|wpa[23]?|wep"
)
SECRET_WORD = rf"(?<![^\W_])(?:{_MEANING})(?![^\W_])"
"""Of an expression that passes over case: what people call a password, in several languages."""

#: "Password: x", "PIN = x", "Passwort ist x"; the value is what stands in quotes, or the next word.
_NAMED = re.compile(
    rf"(?P<name>{SECRET_WORD}[\"']?[ \t]*+(?:\([^()\n]{{0,40}}\)[ \t]*+)?"
    r"(?:[:=–—]+|->|→|(?<=[ \t])-(?=[ \t])|\bis\b|\bist\b|\best\b|\bes\b|\bé\b)[ \t]*+\n?[ \t]*+)"
    r"(?P<value>[\"'“‘«„][^\"'“”‘’»\n]{1,200}[\"'“”‘’»]|[^\s|]+)",
    re.IGNORECASE,
)
#: "password Gr33n!": the word, and right behind it something with digits or signs in it.
_BARE = re.compile(
    rf"(?P<name>{SECRET_WORD}[ \t]+)(?P<value>(?=[^\s]{{0,80}}[\d!@#$%^&*?~+=])[^\s|,;]{{6,}})", re.IGNORECASE
)
#: A line that ends in the word, and below it a line of one such thing alone: how a heading and its value come in HTML.
_BELOW = re.compile(
    rf"(?P<name>{SECRET_WORD}[ \t]*+\n\s*+(?:[:=]+[ \t]*+)?)"
    r"(?P<value>(?=[^\s]{0,80}[\d!@#$%^&*?~+=])[^\s|]{4,}+)(?=[ \t]*+$)",
    re.IGNORECASE | re.MULTILINE,
)
#: "login: adm / x".
_PAIR = re.compile(
    r"(?P<name>\b(?:login|log-in|credentials?|creds|zugangsdaten|anmeldung|identifiants?|user(?:name)?)[ \t]*[:=|]"
    r"[ \t]*[^\s/|]{2,60}[ \t]*/[ \t]*)(?P<value>[^\s|]{4,})",
    re.IGNORECASE,
)
_HEADER = re.compile(rf"[^|]{{0,30}}{SECRET_WORD}[^|]{{0,30}}", re.IGNORECASE)
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\bITG\.[0-9a-f]{16,}[\w.\-]*|\beyJ[\w\-]{10,2000}\.[\w\-]{10,}\.[\w\-]*|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}"
    r"|\b(?:\d{6}-){7}\d{6}\b",
    re.DOTALL,
)
_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.\-]{1,20}://)[^\s/@:]{1,100}:[^\s/@]{1,200}@", re.IGNORECASE)


class _Plain(HTMLParser):
    """Collects words; blocks become lines, cells are parted by bars."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(self._silent - 1, 0)
        elif tag in _CELLS:
            self.parts.append(" | ")
        elif tag in _BLOCKS and tag not in _LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain(html: str) -> str:
    """The words of a piece of HTML, line by line. What is no HTML comes back as it is, but for its spaces."""
    reader = _Plain()
    reader.feed(html[:LONGEST_HTML].replace("\r", ""))
    reader.close()
    lines = (_SPACES.sub(" ", line).strip(" ") for line in "".join(reader.parts).split("\n"))
    text = "\n".join(line.removesuffix("|").rstrip() for line in lines)
    return _EMPTY_LINES.sub("\n\n", _BEFORE_POINTS.sub("\n", text)).strip()


def redacted(text: str) -> str:
    """The text without what is called a password in it, and without what looks like a key."""
    text = _KEYS.sub(REMOVED, _USERINFO.sub(rf"\g<scheme>{REMOVED}@", text))
    text = "\n".join(_without_secret_cells(text.split("\n")))
    for expression in (_NAMED, _PAIR, _BARE, _BELOW):
        text = expression.sub(_cut, text)
    return text


def _without_secret_cells(lines: list[str]) -> Iterator[str]:
    """Tables: what stands beside a cell that says "password", and below one in the first row."""
    columns: set[int] | None = None
    for line in lines:
        cells = line.split(" | ")
        if len(cells) == 1:
            columns = None if line else columns
            yield line
            continue
        named = {at for at, cell in enumerate(cells) if _HEADER.fullmatch(cell.strip())}
        beside = {at + 1 for at in named}
        yield " | ".join(
            REMOVED if cell.strip() and (at in (columns or ()) or at in beside) else cell
            for at, cell in enumerate(cells)
        )
        columns = named if columns is None else columns


def _cut(found: re.Match[str]) -> str:
    return found[0] if found["value"].startswith("[removed") else f"{found['name']}{REMOVED}"


def told(html: str, *, most: int) -> str:
    """What a person typed, for a model: plain, redacted, at most `most` characters with a word about the rest."""
    text = redacted(plain(html))
    return text if len(text) <= most else f"{text[:most].rstrip()} … [{len(text) - most} more characters there]"


def address(url: str) -> str:
    """An address without a user, a password or a query in it."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}{port}{parts.path}" if host else redacted(url.strip())[:200]
