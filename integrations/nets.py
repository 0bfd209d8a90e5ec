"""Behind which words passwords stand in what people typed, and how: one net a way, each with a text that it is for.

A text is looked through once for the words that open a net: what a password is called, what stands before a pair of
a name and a password, and commands that take one. At each such word its nets are tried in turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from integrations.words import (
    ASKED,
    BEGINS,
    CHANGED,
    ENDS,
    GROUPS,
    MANY,
    MEANING,
    NUMBERED,
    REMOVED,
    SECRET_WORD,
    STATES,
    UNIT,
    core_of,
    goes_on,
    has_signs,
    is_alike,
    is_grouped,
    is_run,
    is_value,
    is_word,
    looks_secret,
    stands_out,
)

__all__ = ["NETS", "Net", "without_values"]


@dataclass(frozen=True)
class Net:
    """A way in which a password stands behind a word. `example` is a text with one, "Gr33n!Horse77", that it catches.

    `behind` matches from the end of the opening word on and names the "value"; `is_secret` judges what was found,
    given the opening word's match and that one.
    """

    example: str
    behind: re.Pattern[str]
    is_secret: Callable[[re.Match[str], re.Match[str]], bool]


_B: Final = r"[^\S\n]"  # a blank of any kind, within the line
_TAG: Final = r"</?[a-z][^<>\n]{0,100}>"
#: What may stand around a word and say nothing: Markdown's signs, and tags of HTML that was escaped once too often.
_MARKS: Final = rf"(?:[*_`~\\]|{_TAG})*+"
#: "Password: x", "PIN = x", "Passwort ist jetzt x", "est : x", "is as follows: x": signs, words that say, and adverbs.
_SIGN: Final = r"(?:[:=–—：]+|->|→|(?<=[ \t])-(?=[ \t]))"
_VERB: Final = (
    r"\b(?:is|are|was|will be|as|ist|sind|war|wird|lautet|als|est(?: l[ea])?|sont|sera|es(?: el| la)?|son|será|é)\b"
)
_ADVERB: Final = (
    r"\b(?:now|still|currently|new|as follows|jetzt|nun|noch|neu|aktuell|wie folgt|maintenant|désormais|comme suit"
    r"|ahora|como sigue|the following|folgendes"
    r"|(?:old|before|alt|vorher|bisher|ancien|avant|anterior|antes)(?=:?[^\S\n]+(?:\[removed|[^\W\d][^\s\d]{0,30}\d)))\b"
)
_SAYS: Final = rf"(?:{_SIGN}|{_VERB})(?:{_MARKS}{_B}*+(?:{_SIGN}|{_ADVERB}|{_VERB})){{0,4}}+"
_ENDS_IN_SIGN: Final = re.compile(r"[:=–—：→>\-][\s*_`~\\•]*\Z")
_SAYS_AND_SIGN: Final = re.compile(rf"{_VERB}.*{_SIGN}", re.IGNORECASE | re.DOTALL)
_TAGS: Final = re.compile(_TAG, re.IGNORECASE)
_CODE: Final = r"`[^`\n]{1,200}`"
_QUOTED: Final = (
    rf"\"(?:\\.|[^\"\\\n]){{1,200}}\"|'[^'\n]{{1,200}}'|{_CODE}|[“‘«„][^“”‘’»\n]{{1,200}}[”’»“‘]"
    r"|\*\*[^*\n]{1,200}\*\*|__[^_\n]{1,200}__"
)
#: "48 21", "482 133".
_DIGITS: Final = r"\d{2,4}(?:[ -]\d{2,4}){1,3}(?!\w)"
_IN_BRACKETS: Final = rf"(?:(?:\([^()\n]{{0,40}}\)|\[[a-z]{{1,20}}\]){_B}*+)?"
#: What kind of password it is, where that stands behind: "Passwort neu: x", "mot de passe Wi-Fi : x".
_KIND: Final = (
    rf"(?:{_B}+(?:new|old|temp(?:orary)?|initial|admin|neu|alt|nueva|nuevo|actual|temporal|nouveau|actuel|temporaire"
    r"|provisoire|wi-?fi|wlan|vpn)(?![^\W_]))?"
)
_WORD: Final = r"[\w.@'’\-]{1,40},?"
_QUOTED_WORD: Final = r"[\"'“‘«„][^\s\"'“”‘’«»„]{3,60}[\"'”’»“‘]"
_ASKS: Final = rf"(?:{_B}?[?!]{{1,3}})?"
_LINK: Final = rf"(?:{_B}{{0,3}}[:=/]{_B}{{0,3}}|{_B}{{1,3}}(?:[–\-]{_B}{{1,3}})?)"  # between a name and its password
_POINT: Final = rf"(?:(?:[-•*>]|\d{{1,2}}[.)]){_B}+)?"
_FOR: Final = (
    r"(?:for|of|on|in|at|we use|same(?: as before)?|für|von|vom|am|im|beim?|wie|pour|du|de|dans|à|au|chez"
    r"|del|en|para|per|voor|wi-?fi|wlan|vpn|#?\d{1,3})"
)
_TO: Final = r"(?:to|auf|zu|à|en|a|por)"
_COMMAND_VALUE: Final = rf"(?P<value>{_QUOTED}|[^\s$%(<*/\-'\"][^\s'\"]*+)"
_ANY_NAME: Final = re.compile(SECRET_WORD, re.IGNORECASE)
_IS_NUMBER: Final = re.compile(r"(?:pin|puk|.*code.*|código.*)\Z", re.IGNORECASE)
_EARLIER: Final = re.compile(r"\b(?:last|failed|successful|next|letzte|fehlgeschlagene)[ \t]+\Z", re.IGNORECASE)
#: An option of a command: "--password", "-AdminPassword", "--repair-password".
_OPTION: Final = re.compile(r"(?<![\w\-])--?(?:\w{1,20}-?)?\Z")
#: Behind a value, on its line: the rest of "Sommer 2026!", of "admin / Gr33n!" and of "Gr33n! (old: Bl4u!)".
_MORE: Final = re.compile(
    rf"{_B}{{1,3}}(?:(?:[/(]|[-=]>|→){_B}{{0,3}})?(?:(?:old|new|now|to|auf|zu|à|a|jetzt|after|before|alt|neu|vorher"
    rf"|bisher|früher|zuvor|formerly|previously|ancien|nouveau|avant|anterior|antes|or|oder|ou|o){_B}?:?"
    rf"{_B}{{1,3}})?(?P<value>[^\s|]{{3,60}})",
    re.IGNORECASE,
)
#: The next of a list: "admin Gr33n!, bob Bl4u!".
_NEXT: Final = re.compile(
    rf"(?:[,;]|{_B}(?:and|und|et|y|&)|{_B}{{0,3}}\n{_B}{{0,8}}{_POINT})?{_B}{{0,3}}"
    rf"(?:[\w.@\-]{{1,40}}{_LINK}|(?<=[,;\s]))(?P<value>[^\s|]{{3,60}})",
    re.IGNORECASE,
)
#: The rest of a line, where it is words alone: "horse battery staple".
_PHRASE: Final = re.compile(rf"(?:{_B}[^\W\d_]{{2,15}}){{1,6}}(?=[.,;!]?{_B}*$)", re.MULTILINE)
_TYPED: Final = re.compile(r".*(?:word|wort|pwd?|psw|pin|code|passe|contrase[ñn]a|senha)\Z", re.IGNORECASE)


def _is_named(opening: re.Match[str], found: re.Match[str]) -> bool:
    """Behind a sign nearly everything is a password, behind "is" only what looks like one."""
    text, value = found.string, found["value"]
    link, rest = text[opening.end() : found.start("value")], text[found.end() : found.end() + 80]
    core = core_of(value)
    is_label = value[-1:] in ":=" and rest[:1] == " " and "\n" in link and not looks_secret(core)
    if is_label or (value[-1:] in ":=" and _ANY_NAME.fullmatch(core)):  # "Passwords:\nadm: x", "Password: password: x"
        return False
    if (value[:3] in ("```", "~~~") and rest[:1] == "\n") or is_run(opening[0], _before(opening), value + rest):
        return False
    if value[:1] in "\"'`“‘«„" or value[:2] == "__":
        return bool(core) and core.lower() not in STATES
    if " " in core and core[:1].isalpha():  # four times four letters
        return not goes_on(core[:4].lower())
    if _ENDS_IN_SIGN.search(_TAGS.sub("", link)) and not ASKED.search(_before(opening)):
        return is_value(value, rest, at_once="\n" not in link)
    return (looks_secret(core) or is_grouped(core)) and not (core.isdecimal() and UNIT.match(rest))


def _is_changed(opening: re.Match[str], found: re.Match[str]) -> bool:
    around = (_before(opening), found["between"], found.string[found.end() : found.end() + 60].split("\n")[0])
    if not any(CHANGED.search(one) for one in around):
        return False
    return _stands_out(opening, found) or (_is_quoted(opening, found) and found["value"][:1] in "\"'“‘«„")


def _is_for(opening: re.Match[str], found: re.Match[str]) -> bool:
    """Behind "lautet:" any word is one; behind a sign alone a name may follow, as in "password for the user: bob"."""
    if _SAYS_AND_SIGN.fullmatch(found["says"].strip()):
        return is_value(found["value"], found.string[found.end() : found.end() + 80], at_once=True)
    return _stands_out(opening, found)


def _is_option(opening: re.Match[str], found: re.Match[str]) -> bool:
    core = core_of(found["value"])
    return bool(core and _OPTION.search(_before(opening))) and not goes_on(core.lower())


def _is_number(opening: re.Match[str], found: re.Match[str]) -> bool:
    is_counted = UNIT.match(found.string, found.end()) or NUMBERED.search(found["place"] or "")
    return bool(_IS_NUMBER.fullmatch(opening[0])) and not is_counted


def _is_pair(opening: re.Match[str], found: re.Match[str]) -> bool:
    is_sure = found["sign"] and opening[0].lower() not in ("user", "username", "zugang")
    return bool(is_sure) or stands_out(found["value"])


def _is_login(opening: re.Match[str], found: re.Match[str]) -> bool:
    is_user = opening[0].lower().startswith("user")
    return not is_user and not _EARLIER.search(_before(opening)) and stands_out(found["value"])


def _is_header(_opening: re.Match[str], found: re.Match[str]) -> bool:
    return looks_secret(found["value"]) and bool(found["scheme"] or stands_out(found["value"]))


def _is_tagged(_opening: re.Match[str], found: re.Match[str]) -> bool:
    return found.string.startswith("</", found.end()) or has_signs(found["value"])


def _stands_out(_opening: re.Match[str], found: re.Match[str]) -> bool:
    value = found["value"]
    return value[:1] == "`" or (is_grouped(value) if " " in value else stands_out(value) or is_grouped(value))


def _is_quoted(opening: re.Match[str], found: re.Match[str]) -> bool:
    core = core_of(found["value"]).lower()
    return bool(core and _TYPED.fullmatch(opening[0])) and core not in STATES and not goes_on(core)


def _looks_secret(_opening: re.Match[str], found: re.Match[str]) -> bool:
    return looks_secret(found["value"])


def _always(_opening: re.Match[str], found: re.Match[str]) -> bool:
    return bool(core_of(found["value"]))


def _before(opening: re.Match[str]) -> str:
    return opening.string[max(0, opening.start() - 40) : opening.start()]


def _net(example: str, behind: str, is_secret: Callable[[re.Match[str], re.Match[str]], bool]) -> Net:
    return Net(example, re.compile(behind, re.IGNORECASE | re.MULTILINE), is_secret)


_OF_A_NAME: Final = (
    _net(
        "--admin-password Gr33n!Horse77",
        rf"{_B}+{_COMMAND_VALUE}",
        _is_option,
    ),
    _net(
        "Password:\n```\nGr33n!Horse77\n```",
        rf"{_MARKS}{_B}*+[:=]?{_MARKS}\s*+\n?{_B}*+(?<=[\n \t])(?:`{{3,}}+|~{{3,}}+)[\w+\-]{{0,20}}{_B}*+\n{_B}*+"
        rf"(?P<value>[^\s`]\S*+)(?={_B}*+\n)",
        _always,
    ),
    _net(
        "Password (new): Gr33n!Horse77",
        rf"(?:{_B}#?\d{{1,2}})?{_KIND}[\"']?{_ASKS}{_MARKS}{_B}*+{_IN_BRACKETS}{_MARKS}{_B}*+(?:\n{_B}*+(?=[:=]))?"
        rf"{_SAYS}{_MARKS}{_B}*+(?:\\?\n)?{_B}*+{_POINT}(?P<value>{_QUOTED}|{GROUPS}|{_DIGITS}|{_MARKS}[^\s|<]+|<[^\s|]+)",
        _is_named,
    ),
    _net(
        "Password for the router: Gr33n!Horse77",
        rf"{_MARKS}{_B}+{_FOR}(?:{_B}+{_WORD}){{0,8}}?{_B}*{_MARKS}(?P<says>{_SAYS}){_MARKS}{_B}*+(?P<value>[^\s|]{{4,}})",
        _is_for,
    ),
    _net(
        "password changed from Gr33n!Horse77 to Bl4u!Kuh",
        rf"{_MARKS}(?P<between>(?:{_B}+{_WORD}){{0,4}}?){_B}+(?:from|von|vom|de|du)\b:?{_MARKS}{_B}++"
        rf"(?P<value>{_CODE}|[^\s|]{{4,60}})(?={_B}+{_TO}\b)",
        _is_changed,
    ),
    _net(
        "password of anna has been reset to Gr33n!Horse77",
        rf"{_MARKS}(?P<between>(?:{_B}+{_WORD}){{0,7}}?)(?:{_B}*{_SIGN}|{_B}+(?:back )?{_TO}\b:?)"
        rf"{_MARKS}{_B}*+(?P<value>{_CODE}|{_QUOTED_WORD}|[^\s|]{{4,}})",
        _is_changed,
    ),
    _net(
        "password Gr33n!Horse77 does not work",
        rf"{_ASKS}{_MARKS}(?:,(?={_B}[^\s,]{{6,60}},))?{_B}+{_IN_BRACKETS}"
        rf"(?P<value>{_CODE}|{GROUPS}|{_MARKS}[^\s|,;]{{6,}})",
        _stands_out,
    ),
    _net(
        'with the password "Gr33n!Horse77"',
        rf"[ \t]+(?P<value>{_QUOTED_WORD})",
        _is_quoted,
    ),
    _net(
        '<add key="Password" value="Gr33n!Horse77"/>',
        r"[\"'][ \t]+value=[\"'](?P<value>[^\"'\n]{1,200})",
        _always,
    ),
    _net(
        "Passwords:\n- adm: Gr33n!Horse77",
        rf"{_MARKS}{_B}*+:?{_MARKS}{_B}*+\n{_B}*+{_POINT}{_MARKS}[\w.@\-]{{2,40}}{_LINK}{_MARKS}(?P<value>{_CODE}|[^\s|]{{4,60}})",
        _stands_out,
    ),
    _net(
        "the PIN 4821 is blocked",
        rf"{_MARKS}{_B}+(?P<place>{_FOR}(?:{_B}+[^\W\d_]{{2,20}}){{1,4}}{_B}+(?!(?:19|20)\d\d\b))?"
        r"(?P<value>\d{4,8})(?![\w./:\-]*\w)",
        _is_number,
    ),
    _net(
        "Password\n--------\nGr33n!Horse77",
        rf"{_MARKS}{_B}*+:?\n(?:{_B}*+[-=]{{2,}}{_B}*+\n)?\s*+{_POINT}(?:[:=]+{_B}*+)?"
        rf"(?P<value>{_CODE}|{_MARKS}[^\s|]{{4,}}+)(?={_B}*+$)",
        _stands_out,
    ),
    _net(
        "<td>Password</td><td>Gr33n!Horse77</td>",
        rf"(?:[*_`~:]|{_B})*+(?:[^\S\n]?[^<>\n]{{0,60}}>)?(?:{_TAG}\s*+){{0,6}}+(?<=>)(?<!/>)\s*+(?P<value>[^<>]{{1,200}}"
        rf"(?=</(?:td|th|dd|code|span|kbd|tt|(?:[\w.\-]{{1,40}}[:.\-_])?(?:{MEANING})))|[^\s<>]{{4,}})",
        _is_tagged,
    ),
)
_OF_A_LOGIN: Final = (
    _net(
        "login: adm / Gr33n!Horse77",
        r"(?:[ \t](?:is|are|details|ist|lautet|sind|vpn|rdp))?(?:[*_`~ \t]*+(?P<sign>[:=|])[*_`~ \t]*+|[*_`~ \t]++)"
        r"[^\s/|:=]{2,60}[ \t]*/[ \t]*(?P<value>[^\s|]{4,})",
        _is_pair,
    ),
    _net(
        "login: adm Gr33n!Horse77",
        r"[*_`~ \t]*+[:=][*_`~ \t]*+(?=[^\W\d])[^\s/|:=]{2,60}(?:[ \t]+|:)(?P<value>[^\s|/][^\s|]{5,})",
        _is_login,
    ),
)
_OF_A_HEADER: Final = (
    _net(
        "Authorization: Bearer Gr33n!Horse77",
        rf"(?:[\"']?{_B}*[:=]{_B}*[\"']?(?P<scheme>(?:bearer|basic|token|digest|negotiate|apikey){_B}+)?)(?P<value>[^\s\"'<$]{{8,}})",
        _is_header,
    ),
    _net(
        "curl -H 'bearer Gr33n!Horse77'",
        rf"(?<=bearer){_B}+(?P<value>[^\s\"'<$]{{12,}})",
        _looks_secret,
    ),
)
_OPTIONS: Final = r"[^\n|;]{0,200}?[ \t]"
#: What begins with "$" or "(" is asked for elsewhere, so it is no password.
_OF_A_COMMAND: Final = (
    _net("ConvertTo-SecureString Gr33n!Horse77", rf"(?<=string)[ \t]+(?:-String[ \t]+)?{_COMMAND_VALUE}", _always),
    _net(
        "net user bob Gr33n!Horse77 /add",
        rf"(?<=user)[ \t]+(?:\"[^\"\n]{{1,60}}\"|[^\s/]{{1,60}})[ \t]+(?=\S+[ \t]+/){_COMMAND_VALUE}",
        _always,
    ),
    _net(
        "curl -u adm:Gr33n!Horse77 https://x.example",
        rf"(?<=curl)\b[^\n]{{0,200}}?[ \t](?:-u|--user)[ \t=]*[\"']?[^\s:\"']{{1,60}}:{_COMMAND_VALUE}",
        _always,
    ),
    _net(
        "mysqldump -u root -pGr33n!Horse77",
        rf"(?:(?<=mysql)|(?<=dump)|(?<=mysqladmin)|(?<=mariadb))\b{_OPTIONS}-p{_COMMAND_VALUE}",
        _always,
    ),
    _net(
        "plink -ssh adm@srv -pw Gr33n!Horse77",
        rf"(?:(?<=sshpass)|(?<=psexec)|(?<=plink)|(?<= login)|(?<=freerdp))\b{_OPTIONS}(?:-pw?[ \t]*|/p:)"
        rf"{_COMMAND_VALUE}",
        _always,
    ),
    _net(
        "net use Z: \\\\srv\\x /user:adm Gr33n!Horse77",
        rf"(?<=use)\b{_OPTIONS}(?:/user:\S{{1,60}}[ \t]+|\\\\\S{{1,100}}[ \t]+(?=\S+[ \t]+/user:))"
        rf"{_COMMAND_VALUE}",
        _always,
    ),
    _net(
        "smbclient //srv/x -U adm%Gr33n!Horse77",
        rf"(?:(?<=client)|(?<=winexe))\b{_OPTIONS}-U[ \t]*[\"']?[^\s%]{{1,60}}%{_COMMAND_VALUE}",
        _always,
    ),
)
NETS: Final = {
    "secret": _OF_A_NAME,
    "login": _OF_A_LOGIN,
    "header": _OF_A_HEADER,
    "command": _OF_A_COMMAND,
    "removed": (),
}
"""The nets by the kind of word that opens them, in the order in which they are tried."""
_OPENINGS: Final = re.compile(
    rf"(?=[\w\[])(?:(?P<removed>\[removed[^\]\n]{{0,40}}\])|{BEGINS}(?:(?P<secret>(?:{MEANING})\d{{0,2}})"
    r"|(?P<command>ConvertTo-SecureString|sshpass|psexec|plink|(?:docker|az) login|net1?[ \t]+use|net1?[ \t]+user|curl"
    r"|mysql(?:dump|admin)?|mariadb|[xw]freerdp|smbclient|rpcclient|winexe)"
    r"|(?P<login>login|log-in|basic auth|credentials?|creds|zugang(?:sdaten)?|anmeldung|identifiants?|user(?:name)?)"
    rf"|(?P<header>authorization|bearer)){ENDS})",
    re.IGNORECASE,
)


def without_values(text: str) -> str:
    """The text without what stands behind its words for passwords, with `REMOVED` in its place."""
    kept: list[str] = []
    done = at = 0
    while opening := _OPENINGS.search(text, at):
        at = opening.end()
        if found := _caught(opening):
            kept += [text[done : found.start("value")], REMOVED]
            done = at = _end(opening, found)
    return "".join([*kept, text[done:]]) if kept else text


def _caught(opening: re.Match[str]) -> re.Match[str] | None:
    for net in NETS[opening.lastgroup or "removed"]:
        found = net.behind.match(opening.string, opening.end())
        if found and not found["value"].lstrip("*_`~\\").startswith("[removed") and net.is_secret(opening, found):
            return found
    return None


def _end(opening: re.Match[str], found: re.Match[str]) -> int:
    """Where what is secret ends: what goes on with it on its line goes, too."""
    text, at = found.string, found.end("value")
    nexts = (_MORE, _NEXT) if MANY.fullmatch(opening[0]) else (_MORE,)
    if (
        is_word(found["value"])
        and (phrase := _PHRASE.match(text, at))
        and not any(map(goes_on, phrase[0].lower().split()))
    ):
        return phrase.end()
    while more := next((one for each in nexts if (one := each.match(text, at)) and _is_more(found, one, nexts)), None):
        at = more.end()
    return at


def _is_more(found: re.Match[str], more: re.Match[str], nexts: tuple[re.Pattern[str], ...]) -> bool:
    """Whether what follows is a password, too: in a list also what is written like its first."""
    return stands_out(more["value"]) or (_NEXT in nexts and is_alike(found["value"], more["value"]))
