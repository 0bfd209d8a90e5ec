"""Texts that people typed into a system of records, made short, plain and without the passwords that stand in them.

What is shown was written by strangers and stays foreign text. Redaction is a net below the real rule, that values of
passwords are never asked for: it finds what is called a password and what looks like a key, and cannot find all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from pydantic import JsonValue

LONGEST_HTML = 500_000
"""What stands behind that many characters of markup is not read."""

REMOVED = "[removed: looks like a password]"

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
_MEANING = (
    r"pass(?:phrase|code|wd)?s?|passwd|pwd|psw|pw|psk|pin|pass[- ]?key|pre[- ]?shared key|wi-?fi key|wpa2? key"
    r"|\w{0,30}(?:password|passwort|passwörter|kennwort|kennwörter|wachtwoord)s?|schlüssel|zugangscode|mots? de passe"
    r"|mdp|code d['’]accès|clé(?: wi-?fi)?|contrase[ñn]as?|claves?|senhas?|palavra-passe|hasło|lösenord"
    r"|adgangskode|kodeord|passord|salasana|heslo|jelszó|şifre|parola|пароль|(?:client )?secret"
    r"|(?:api|access|auth|private|recovery|licen[cs]e)[- ]?key|token|otp(?: seed)?|wpa[23]?|wep"
)
SECRET_WORD = rf"(?<![^\W_])(?:{_MEANING})\d{{0,2}}(?![^\W_])"
"""Of an expression that passes over case: what people call a password, in several languages."""

_B = r"[^\S\n]"  # a blank of any kind, within the line
_TAG = r"</?[a-z][^<>\n]{0,100}>"
#: What may stand around a word and say nothing: Markdown's signs, and tags of HTML that was escaped once too often.
_MARKS = rf"(?:[*_`~\\]|{_TAG})*+"
_LOOKS = r"(?=[^\s]{0,80}(?:[\d!@#$%^&?+=]|[*~]\w))"
#: "Password: x", "PIN = x", "Passwort ist x"; the value is what stands in quotes or in bold, or the next word.
_SAYS = (
    r"(?:[:=–—：]+|->|→|(?<=[ \t])-(?=[ \t])|\b(?:is|ist|lautet|est|es|é)\b(?:[ \t]+(?:now|still|jetzt|nun|noch)\b)?)"
)
_QUOTED = (
    r"\"(?:\\.|[^\"\\\n]){1,200}\"|'[^'\n]{1,200}'|`[^`\n]{1,200}`|[“‘«„][^“”‘’»\n]{1,200}[”’»“‘]"
    r"|\*\*[^*\n]{1,200}\*\*|__[^_\n]{1,200}__"
)
_NAMED = re.compile(
    rf"(?P<name>{SECRET_WORD}(?:{_B}#?\d{{1,2}})?[\"']?{_MARKS}{_B}*+(?:\([^()\n]{{0,40}}\){_B}*+)?{_MARKS}{_B}*+(?:\n{_B}*+(?=[:=]))?"
    rf"{_SAYS}{_MARKS}{_B}*+(?:\\?\n)?{_B}*+(?:[-•*>]{_B}+)?)"
    rf"(?P<value>{_QUOTED}|{_MARKS}[^\s|<]+|<[^\s|]+)",
    re.IGNORECASE,
)
#: "Password for the router: Gr33n!", "password reset to Gr33n!".
_FOR = re.compile(
    rf"(?P<name>{SECRET_WORD}{_MARKS}{_B}+(?:(?:for|of|on|für|von|am|pour|du|de|para|per|voor|#?\d{{1,3}})"
    rf"(?:{_B}+[\w.@\-]{{1,40}}){{0,3}}{_B}*{_MARKS}{_SAYS}|(?:is |was )?(?:now |re)?(?:set |changed )?to\b)"
    rf"{_MARKS}{_B}*+)(?P<value>{_LOOKS}(?!\d{{1,4}}[-./]\d)[^\s|]{{4,}})",
    re.IGNORECASE,
)
#: "password Gr33n!": the word, and right behind it something with digits or signs in it, or in a span of code.
_BARE = re.compile(
    rf"(?P<name>{SECRET_WORD}{_MARKS}{_B}+)(?P<value>`[^`\n]{{1,200}}`|{_MARKS}{_LOOKS}[^\s|,;]{{6,}})", re.IGNORECASE
)
#: A line that ends in the word, and below it a line of one such thing alone: how a heading and its value come in HTML.
_BELOW = re.compile(
    rf"(?P<name>{SECRET_WORD}{_MARKS}{_B}*+:?\n(?:{_B}*+[-=]{{2,}}{_B}*+\n)?\s*+(?:[-•*>]{_B}+)?(?:[:=]+{_B}*+)?)"
    rf"(?P<value>`[^`\n]{{1,200}}`|{_MARKS}{_LOOKS}[^\s|]{{4,}}+)(?={_B}*+$)",
    re.IGNORECASE | re.MULTILINE,
)
#: "<password>x</password>", "<td>Password</td><td>x</td>": markup that nobody made plain.
_TAGGED = re.compile(
    rf"(?P<name>{SECRET_WORD}(?:[*_`~:]|{_B})*+(?:[^\S\n]?[^<>\n]{{0,60}}>)?(?:{_TAG}\s*+){{0,6}}+)(?<=>)(?<!/>)\s*+"
    rf"(?P<value>[^<>]{{1,200}}(?=</(?:td|th|dd|code|span|kbd|tt|(?:[\w.\-]{{1,40}}[:.\-_])?(?:{_MEANING})))|{_LOOKS}[^\s<>]{{4,}})",
    re.IGNORECASE,
)
#: "login: adm / x".
_PAIR = re.compile(
    r"(?P<name>\b(?:login|log-in|credentials?|creds|zugangsdaten|anmeldung|identifiants?|user(?:name)?)[*_`~ \t]*+[:=|]"
    r"[*_`~ \t]*+[^\s/|]{2,60}[ \t]*/[ \t]*)(?P<value>[^\s|]{4,})",
    re.IGNORECASE,
)
#: "The password is ...": what is said of one without telling it.
_IS = re.compile(r"\b(?:is|ist|lautet|est|es|é)(?:[ \t]+(?:now|still|jetzt|nun|noch))?[*_`~\s]*\Z", re.IGNORECASE)
_SAID_OF_IT = (
    frozenset(
        ("a", "about", "accepted", "an", "asked", "at", "being", "changed", "correct", "due", "enough", "expired")
    )
    | {"expiring", "forgotten", "gone", "good", "his", "her", "in", "incorrect", "invalid", "kept", "known", "locked"}
    | {"lost", "needed", "never", "no", "not", "old", "on", "only", "our", "rejected", "required", "reset", "right"}
    | {"safe", "same", "saved", "set", "shown", "stored", "that", "the", "their", "there", "to", "too", "unknown"}
    | {"valid", "weak", "what", "working", "wrong"}
    | {"abgelaufen", "das", "der", "die", "ein", "eine", "falsch", "gesperrt", "gespeichert", "gültig", "korrekt"}
    | {"neu", "nicht", "richtig", "unbekannt", "ungültig", "vergessen", "verloren", "zu"}
    | {"correcte", "expiré", "incorrecte", "la", "le", "oublié", "pas", "perdu", "un", "une"}
    | {"caducada", "el", "incorrecta"}
)
_HEADER = re.compile(rf"[^|]{{0,30}}{SECRET_WORD}[^|]{{0,30}}", re.IGNORECASE)
_ENDS_IN_SECRET = re.compile(rf"{SECRET_WORD}[*_`~\s]*\Z", re.IGNORECASE)
_SECRET_TAG = re.compile(rf"(?:.*[:._\-])?(?:{_MEANING})(?:[:._\-].*)?", re.IGNORECASE)
_PARTED = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)*\s*:?-{2,}:?\s*\|?\s*")
#: Letters that nobody sees: of no width, hyphens that do not show, marks of direction, fillers.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U000e0000-\U000e0fff]"
)
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\bITG\.[0-9a-f]{16,}[\w.\-]*|\beyJ[\w\-]{10,2000}\.[\w\-]{10,}\.[\w\-]*|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}"
    r"|\b(?:\d{6}-){7}\d{6}\b",
    re.DOTALL,
)
_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.\-]{1,20}://)[^\s/@:]{1,100}:[^\s/@]{1,200}@", re.IGNORECASE)


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
    tags, end, words = html[:LONGEST_HTML].replace("\r", "").rpartition(">")
    reader.feed(f"{tags}{end}{words.replace('<', '&lt;')}")  # no tag ends there, and looking for one takes for ever
    reader.close()
    lines = (_SPACES.sub(" ", line).strip(" ") for line in "".join(reader.parts).split("\n"))
    text = "\n".join(line.removesuffix("|").rstrip() for line in lines)
    return _EMPTY_LINES.sub("\n\n", _BEFORE_POINTS.sub("\n", text)).strip()


def redacted(text: str) -> str:
    """The text without what is called a password in it, and without what looks like a key.

    It is looked at without the letters that nobody sees, and comes back without them where something was cut.
    """
    seen = _HIDDEN.sub("", text)
    cut = _without_secrets(seen)
    return cut if cut != seen or seen == text else _without_secrets(text)


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
    text = "\n".join(_without_secret_cells(text.split("\n")))
    for expression in (_NAMED, _FOR, _PAIR, _BARE, _BELOW, _TAGGED):
        text = expression.sub(_cut, text)
    return text


def _without_secret_cells(lines: list[str]) -> Iterator[str]:
    """Tables: what stands beside a cell that says "password", and below one that heads a column.

    A head is the first row, the row above a rule of Markdown's, and a cell that is not the first of its row.
    """
    columns: set[int] | None = None
    above: set[int] = set()
    for line in lines:
        cells = _PARTED.split(line)
        if len(cells) == 1:
            columns = None if line.strip() else columns
            yield line
            continue
        if _RULE.fullmatch(line):
            columns = (columns or set()) | above
            yield line
            continue
        named = {at for at, cell in enumerate(cells) if _is_head(cell)}
        beside = {at + 1 for at in named}
        yield "|".join(
            _emptied(cell) if cell.strip() and (at in (columns or ()) or at in beside) else cell
            for at, cell in enumerate(cells)
        )
        first = next((at for at, cell in enumerate(cells) if cell.strip()), 0)
        columns = named if columns is None else columns | {at for at in named if at > first}
        above = named


def _is_head(cell: str) -> bool:
    return len(cell) <= 120 and _HEADER.fullmatch(cell.strip()) is not None


def _emptied(cell: str) -> str:
    """The cell with nothing but that something stood there; the blanks at its sides stay."""
    start, end = len(cell) - len(cell.lstrip()), len(cell.rstrip())
    return f"{cell[:start]}{REMOVED}{cell[end:]}"


def _cut(found: re.Match[str]) -> str:
    if found["value"].strip(".,;:!?)*_`~").casefold() in _SAID_OF_IT and _IS.search(found["name"]):
        return found[0]
    return found[0] if found["value"].lstrip("*_`~\\").startswith("[removed") else f"{found['name']}{REMOVED}"


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
