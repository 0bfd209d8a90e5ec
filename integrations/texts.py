"""Texts that people typed into a system of records, made short, plain and without the passwords that stand in them.

What is shown was written by strangers and stays foreign text. Redaction is a net below the real rule, that values of
passwords are never asked for: it finds what is called a password and what looks like a key, and cannot find all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from pydantic import JsonValue

from integrations.markup import plain
from integrations.nets import without_values
from integrations.words import REMOVED, SECRET_WORD, is_plug, is_value, names_secret

__all__ = ["REMOVED", "SECRET_WORD", "address", "plain", "redacted", "told", "without_passwords"]

_SECRET = re.compile(SECRET_WORD, re.IGNORECASE)
_PARTED = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)*\s*:?-{2,}:?\s*\|?\s*")
#: Letters that nobody sees: of no width, hyphens that do not show, marks of direction, fillers.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U000e0000-\U000e0fff]"
)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:ITG\.[0-9a-f]{16,}[\w.\-]*|eyJ[\w\-]{10,2000}\.[\w\-]{10,}\.[\w\-]*|(?:\d{6}-){7}\d{6}\b"
    # Amazon "Manage access keys for IAM users": an id, and the secret of 40 letters where it follows.
    r"|A[KS]IA[0-9A-Z]{16}\b(?:[^\w\n]{0,3}\n?[^\w\n]{0,3}(?<!\w)[A-Za-z0-9/+]{40}(?![\w/+=]))?"
    # GitHub "About authentication to GitHub", GitLab "Token overview", Stripe "API keys", Slack "Tokens" and "Sending
    # messages using incoming webhooks", Google Cloud "Manage API keys", Twilio SendGrid "API Keys".
    r"|gh[pousr]_\w{20,}|github_pat_\w{22,255}|gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w.\-]{20,300}"
    r"|[rs]k_(?:live|test)_[0-9A-Za-z]{16,250}|xox[abeoprs]-[\w\-]{10,250}|xapp-\d-[\w\-]{10,250}"
    r"|(?<=hooks\.slack\.com/services/)T[\w/]{20,100}|AIza[\w\-]{35}(?![\w\-])|SG\.[\w\-]{16,32}\.[\w\-]{16,64}"
    # Microsoft "Create a service SAS": the signature in an address.
    r"|(?<=[?&;])sig=[\w%+/=\-]{20,200})",
    re.DOTALL,
)
_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.\-]{1,20}://)[^\s/@:]{1,100}:[^\s/@]{1,200}@", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text without what is called a password in it, and without what looks like a key.

    It is looked at without the letters that nobody sees, wide ones as the common ones, and comes back like that where
    something was cut.
    """
    seen = _HIDDEN.sub("", text).translate(_WIDE) if not text.isascii() else text
    cut = _without_secrets(seen)
    if cut != seen:
        return cut
    return text if seen == text else _without_secrets(text)


def without_passwords(value: JsonValue) -> JsonValue:
    """The value with every text in it as `redacted` leaves it, names of fields among them; the shape stays."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, list):
        return [without_passwords(one) for one in value]
    if isinstance(value, dict):
        return _named_apart((redacted(name), without_passwords(one)) for name, one in value.items())
    return value


def _named_apart(fields: Iterable[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """The fields, numbered where two names became the same one as something was cut out of both."""
    apart: dict[str, JsonValue] = {}
    for name, value in fields:
        free, number = name, 2
        while free in apart:
            free, number = f"{name} ({number})", number + 1
        apart[free] = value
    return apart


def _without_secrets(text: str) -> str:
    text = _KEYS.sub(REMOVED, _USERINFO.sub(rf"\g<scheme>{REMOVED}@", text))
    if ("|" in text or "\t" in text) and _SECRET.search(text):
        text = "\n".join(_without_secret_cells(text.split("\n")))
    return without_values(text)


def _without_secret_cells(lines: list[str]) -> Iterator[str]:
    """Tables: what stands beside a cell that says "password", and below one that heads a column.

    A head is the first row, the row above a rule of Markdown's, and a cell that is not the first of its row. Where a
    line has no bars, tabs part its cells.
    """
    columns: set[int] | None = None
    above: set[int] = set()
    for line in lines:
        bar = "|" if "|" in line else "\t"
        cells = _PARTED.split(line) if bar == "|" else line.split("\t")
        if len(cells) == 1 or (bar == "\t" and not _has_columns(cells)):
            columns = None if line.strip() else columns
            yield line
            continue
        if _RULE.fullmatch(line):
            columns = (columns or set()) | above
            yield line
            continue
        named = set() if is_plug(cells) else {at for at, cell in enumerate(cells) if _is_head(cell)}
        beside = {at + 1 for at in named}
        yield bar.join(
            _emptied(cell) if (at in (columns or ()) or at in beside) and is_value(cell, "", at_once=True) else cell
            for at, cell in enumerate(cells)
        )
        first = next((at for at, cell in enumerate(cells) if cell.strip()), 0)
        columns = named if columns is None else columns | {at for at in named if at > first}
        above = named


def _has_columns(cells: list[str]) -> bool:
    return sum(1 for one in cells if one.strip()) > 1


def _is_head(cell: str) -> bool:
    return len(cell) <= 120 and bool(_SECRET.search(cell)) and names_secret(cell, _SECRET)


def _emptied(cell: str) -> str:
    """The cell with nothing but that something stood there; the blanks at its sides stay."""
    start, end = len(cell) - len(cell.lstrip()), len(cell.rstrip())
    return f"{cell[:start]}{REMOVED}{cell[end:]}"


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
