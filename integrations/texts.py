"""Texts that people typed into a system of records, made short, plain and without the passwords that stand in them.

What is shown was written by strangers and stays foreign text. Redaction is a net below the real rule, that values of
passwords are never asked for: it finds what is called a password and what looks like a key, and cannot find all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from pydantic import JsonValue

from integrations.markup import plain
from integrations.words import (
    ASKED,
    MEANING,
    REMOVED,
    SECRET_WORD,
    STATES,
    UNIT,
    core_of,
    has_signs,
    is_value,
    looks_secret,
    names_secret,
)

__all__ = ["REMOVED", "SECRET_WORD", "address", "plain", "redacted", "told", "without_passwords"]

_B = r"[^\S\n]"  # a blank of any kind, within the line
_TAG = r"</?[a-z][^<>\n]{0,100}>"
#: What may stand around a word and say nothing: Markdown's signs, and tags of HTML that was escaped once too often.
_MARKS = rf"(?:[*_`~\\]|{_TAG})*+"
#: "Password: x", "PIN = x", "Passwort ist jetzt x", "est : x", "is as follows: x": signs, words that say, and adverbs.
_SIGN = r"(?:[:=–—：]+|->|→|(?<=[ \t])-(?=[ \t]))"
_VERB = r"\b(?:is|was|will be|as|ist|war|wird|lautet|als|est|sera|es|será|é)\b"
_ADVERB = (
    r"\b(?:now|still|currently|new|as follows|jetzt|nun|noch|neu|aktuell|wie folgt|maintenant|désormais|comme suit"
    r"|ahora|como sigue|the following|folgendes)\b"
)
_SAYS = rf"(?:{_SIGN}|{_VERB})(?:{_MARKS}{_B}*+(?:{_SIGN}|{_ADVERB}|{_VERB})){{0,4}}+"
_ENDS_IN_SIGN = re.compile(r"[:=–—：→>\-][\s*_`~\\•]*\Z")
_TAGS = re.compile(_TAG, re.IGNORECASE)
_QUOTED = (
    r"\"(?:\\.|[^\"\\\n]){1,200}\"|'[^'\n]{1,200}'|`[^`\n]{1,200}`|[“‘«„][^“”‘’»\n]{1,200}[”’»“‘]"
    r"|\*\*[^*\n]{1,200}\*\*|__[^_\n]{1,200}__"
)
_IN_BRACKETS = rf"(?:\([^()\n]{{0,40}}\){_B}*+)?"
_NAMED = re.compile(
    rf"(?P<name>{SECRET_WORD}(?:{_B}#?\d{{1,2}})?[\"']?{_MARKS}{_B}*+{_IN_BRACKETS}{_MARKS}{_B}*+(?:\n{_B}*+(?=[:=]))?"
    rf"{_SAYS}{_MARKS}{_B}*+(?:\\?\n)?{_B}*+(?:[-•*>]{_B}+)?)"
    rf"(?P<value>{_QUOTED}|{_MARKS}[^\s|<]+|<[^\s|]+)",
    re.IGNORECASE,
)
#: "Password for the router: Gr33n!", "password reset to Gr33n!".
_FOR = re.compile(
    rf"(?P<name>{SECRET_WORD}{_MARKS}{_B}+(?:(?:for|of|on|für|von|am|pour|du|de|para|per|voor|#?\d{{1,3}})"
    rf"(?:{_B}+[\w.@\-]{{1,40}}){{0,3}}{_B}*{_MARKS}{_SAYS}|(?:is |was )?(?:now |re)?(?:set |changed )?to\b)"
    rf"{_MARKS}{_B}*+)(?P<value>[^\s|]{{4,}})",
    re.IGNORECASE,
)
#: "password Gr33n!": the word, and right behind it something with digits or signs in it, or in a span of code.
_BARE = re.compile(
    rf"(?P<name>{SECRET_WORD}{_MARKS}{_B}+{_IN_BRACKETS})(?P<value>`[^`\n]{{1,200}}`|{_MARKS}[^\s|,;]{{6,}})",
    re.IGNORECASE,
)
#: A line that ends in the word, and below it a line of one such thing alone: how a heading and its value come in HTML.
_BELOW = re.compile(
    rf"(?P<name>{SECRET_WORD}{_MARKS}{_B}*+:?\n(?:{_B}*+[-=]{{2,}}{_B}*+\n)?\s*+(?:[-•*>]{_B}+)?(?:[:=]+{_B}*+)?)"
    rf"(?P<value>`[^`\n]{{1,200}}`|{_MARKS}[^\s|]{{4,}}+)(?={_B}*+$)",
    re.IGNORECASE | re.MULTILINE,
)
#: One word alone in a block of code that stands below the word.
_FENCED = re.compile(
    rf"(?P<name>{SECRET_WORD}{_MARKS}{_B}*+[:=]?{_MARKS}\s*+\n?{_B}*+(?<=[\n \t])"
    rf"(?:`{{3,}}+|~{{3,}}+)[\w+\-]{{0,20}}{_B}*+\n{_B}*+)"
    rf"(?P<value>[^\s`]\S*+)(?={_B}*+\n)",
    re.IGNORECASE,
)
#: "<password>x</password>", "<td>Password</td><td>x</td>": markup that nobody made plain.
_TAGGED = re.compile(
    rf"(?P<name>{SECRET_WORD}(?:[*_`~:]|{_B})*+(?:[^\S\n]?[^<>\n]{{0,60}}>)?(?:{_TAG}\s*+){{0,6}}+)(?<=>)(?<!/>)\s*+"
    rf"(?P<value>[^<>]{{1,200}}(?=</(?:td|th|dd|code|span|kbd|tt|(?:[\w.\-]{{1,40}}[:.\-_])?(?:{MEANING})))|[^\s<>]{{4,}})",
    re.IGNORECASE,
)
#: "login: adm / x", "creds adm / Gr33n!".
_PAIR = re.compile(
    r"(?P<name>\b(?:(?P<open>login|log-in|credentials?|creds|zugangsdaten|anmeldung|identifiants?)|user(?:name)?)"
    r"[*_`~ \t]*+(?P<sign>[:=|])?[*_`~ \t]*+[^\s/|:=]{2,60}[ \t]*/[ \t]*)(?P<value>[^\s|]{4,})",
    re.IGNORECASE,
)
#: Commands that take a password: what begins with "$" or "(" is asked for elsewhere.
_COMMANDS = re.compile(
    rf"(?P<name>\bConvertTo-SecureString[ \t]+(?:-String[ \t]+)?|\bsshpass[ \t]+-p[ \t]*"
    rf"|\bnet1?[ \t]+user[ \t]+(?:\"[^\"\n]{{1,60}}\"|[^\s/]{{1,60}})[ \t]+(?=\S+[ \t]+/)"
    rf"|\bcurl\b[^\n]{{0,200}}?[ \t](?:-u|--user)[ \t=]*[\"']?[^\s:\"']{{1,60}}:"
    rf"|(?<![\w\-])--?(?:admin)?(?:password|passwd|passphrase|pwd)[ \t]+)"
    rf"(?P<value>{_QUOTED}|[^\s$%(<*/\-'\"][^\s'\"]*+)",
    re.IGNORECASE,
)
_SECRET = re.compile(SECRET_WORD, re.IGNORECASE)
_PARTED = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)*\s*:?-{2,}:?\s*\|?\s*")
#: Letters that nobody sees: of no width, hyphens that do not show, marks of direction, fillers.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U000e0000-\U000e0fff]"
)
#: Without one of these none of the nets finds anything.
_ANY = re.compile(
    rf"{SECRET_WORD}|SecureString|\b(?:login|log-in|creds?|credentials?|user|username|curl|zugangsdaten|anmeldung"
    r"|identifiants?|sshpass|net1?[ \t]+user)\b",
    re.IGNORECASE,
)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\bITG\.[0-9a-f]{16,}[\w.\-]*|\beyJ[\w\-]{10,2000}\.[\w\-]{10,}\.[\w\-]*|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}"
    r"|\b(?:\d{6}-){7}\d{6}\b",
    re.DOTALL,
)
#: Behind a value, on its line: the rest of "Sommer 2026!" and of "admin / Gr33n!".
_MORE = re.compile(rf"{_B}{{1,3}}(?:/{_B}{{0,3}})?(?P<value>[^\s|]{{3,60}})")
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
        return {redacted(name): without_passwords(one) for name, one in value.items()}
    return value


def _without_secrets(text: str) -> str:
    text = _KEYS.sub(REMOVED, _USERINFO.sub(rf"\g<scheme>{REMOVED}@", text))
    if not _ANY.search(text):
        return text
    text = "\n".join(_without_secret_cells(text.split("\n")))
    for expression, is_secret in _NETS:
        text = _cut(text, expression, is_secret)
    return text


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
        named = {at for at, cell in enumerate(cells) if _is_head(cell)}
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


def _cut(text: str, net: re.Pattern[str], is_secret: Callable[[re.Match[str]], bool]) -> str:
    """The text without the values that a net finds and that are secret. What is none is looked through again."""
    kept: list[str] = []
    done = at = 0
    while found := net.search(text, at):
        start, at = found.span("value")
        if found["value"].lstrip("*_`~\\").startswith("[removed"):
            continue
        if is_secret(found):
            kept += [text[done:start], REMOVED]
            while (more := _MORE.match(text, at)) and looks_secret(core_of(more["value"])):
                at = more.end()
            done = at
        elif not has_signs(found["value"]):
            at = max(start, found.start() + 1)  # it may be the name of the next one
    return "".join([*kept, text[done:]]) if kept else text


def _is_named(found: re.Match[str]) -> bool:
    """Of a value behind a sign or "is": behind a sign nearly everything is one, else only what looks like it."""
    name, value, text = found["name"], found["value"], found.string
    rest = text[found.end() : found.end() + 80]
    core = core_of(value)
    if (value[-1:] in ":=" and _SECRET.fullmatch(core)) or (value[:3] in ("```", "~~~") and rest[:1] == "\n"):
        return False
    if value[:1] in "\"'`“‘«„" or value[:2] == "__":
        return bool(core) and core.lower() not in STATES
    says_so = _ENDS_IN_SIGN.search(_TAGS.sub("", name)) and not ASKED.search(
        text[max(0, found.start() - 40) : found.start()]
    )
    if says_so:
        return is_value(value, rest, at_once="\n" not in name)
    return looks_secret(core) and not (core.isdecimal() and UNIT.match(rest))


def _is_pair(found: re.Match[str]) -> bool:
    return bool(found["open"] and found["sign"]) or has_signs(found["value"])


def _has_signs(found: re.Match[str]) -> bool:
    return found["value"][:1] == "`" or has_signs(found["value"])


def _is_tagged(found: re.Match[str]) -> bool:
    return found.string.startswith("</", found.end()) or has_signs(found["value"])


def _always(found: re.Match[str]) -> bool:
    return bool(core_of(found["value"]))


_NETS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    (_COMMANDS, _always),
    (_FENCED, _always),
    (_NAMED, _is_named),
    (_FOR, _has_signs),
    (_PAIR, _is_pair),
    (_BARE, _has_signs),
    (_BELOW, _has_signs),
    (_TAGGED, _is_tagged),
)


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
