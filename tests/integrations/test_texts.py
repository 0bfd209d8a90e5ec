"""Passwords that people typed into texts are cut out, however the text is marked up, and in a time that is bounded."""

from __future__ import annotations

import json
from time import process_time

import pytest

from integrations.records import sent_records
from integrations.texts import plain, redacted, told
from integrations.wire import Wire, record_of

PASSWORD = "Gr33n!Horse"
WORD = "horsechestnut"
"""A password that looks like any other word."""

ANY = [
    "**Password**: {}",
    "**Password:** {}",
    "**PW:** {}",
    "Password** : {}",
    "***Password:*** {}",
    "**Password** - {}",
    "__Password__: {}",
    "__Password:__ {}",
    "~~Password~~: {}",
    "`password`: `{}`",
    "`Password: {}`",
    "`password: {}`",
    "password `{}`",
    "Password: `the {} one`",
    "Password: **the {} one**",
    "Password\\: {}",
    "Password: \\\n{}",
    "Password:\r\n{}",
    "Password:\n- {}",
    "Password:\n\n`{}`",
    "Password\n--------\n`{}`",
    "## Password\n\n`{}`",
    "> **Password:** {}",
    "- **Password**: {}",
    "**Kennwort:** `{}`",
    "**Passwörter:** {}",
    "**Zugangscode:** {}",
    "**Mot de passe :** {}",
    "**Contraseña:** {}",
    "**Clave** = {}",
    "Password 1: {}",
    "Password1: {}",
    "| Password | {} |",
    "|Password|{}|",
    "| **Password** | `{}` |",
    "| Login | Password |\n|---|---|\n| bob | {} |",
    "| Login | Password |\n| bob | {} |",
    "Login|Password\n---|---\nbob|{}",
    "| Access | |\n| Login | Kennwort |\n|:--|--:|\n| bob | {} |",
    "Pass\u200bword: {}",
    "P\u00adassword:\u2060{}",
    "Password:\u00a0{}",
    '{{"password": "it\'s {} there"}}',
    "<dl><dt>Password</dt><dd>{}</dd></dl>",
    "<dl>\n<dt>Password</dt>\n<dd>{}</dd>\n</dl>",
    "<div><span>Password</span><span>{}</span></div>",
    "<label>Password</label><code>{}</code>",
    "<label>Password</label> <code>{}</code>",
    "&lt;b&gt;Password:&lt;/b&gt; {}",
    "&lt;td&gt;Password&lt;/td&gt;&lt;td&gt;{}&lt;/td&gt;",
    "<config><password>{}</password></config>",
    "<x:Password>{}</x:Password>",
    "<db-password>\n{}\n</db-password>",
    "&lt;password&gt;{}&lt;/password&gt;",
    "<b>P</b>assword: {}",
    "<b>Password</b><br/>: {}",
    "<table>\n<tr>\n<td>Password</td>\n<td>{}</td>\n</tr>\n</table>",
    "<table><tr><td><p>Password</p></td><td><p>{}</p></td></tr></table>",
    "<table><tr><td>Password<td>{}</table>",
    "<table>\n<tr>\n<th>User</th>\n<th>Password</th>\n</tr>\n<tr>\n<td>a</td>\n<td>{}</td>\n</tr></table>",
]
LOOKING_LIKE_ONE = [
    "*Password* {}",
    "password **{}**",
    "Password for the router: {}",
    "Passwort für das WLAN lautet {}",
    "the password was changed to {}",
    "<p><b>Password</b></p><p><code>{}</code></p>",
    "**Password**\n\n{}",
]
NASTY = [
    *("password ", "password\n", "pass*_`~", "| password ", "|password", "<password>", "password<b>", "password\n-- "),
    *("password(", "password for a ", "_", 'password: "', "password: '", '"\\', "login: a/", "\u200b", "pin<b ", "<b "),
    *(
        "--|--",
        "password `",
        "password: **",
        "otp \t",
        "<dt>",
        "<td>password",
        "<a b='",
        "<!--",
        "http://a:",
        "\n",
        "&lt;",
    ),
]


class Note(Wire):
    """A record with a text in it."""


@pytest.mark.parametrize("password", [PASSWORD, WORD])
@pytest.mark.parametrize("text", ANY)
def test_a_password_is_cut_out_of_marked_up_text(text: str, password: str) -> None:
    _is_cut_out(text.format(password), password)


@pytest.mark.parametrize("text", LOOKING_LIKE_ONE)
def test_what_looks_like_a_password_is_cut_out_behind_the_word(text: str) -> None:
    _is_cut_out(text.format(PASSWORD), PASSWORD)


@pytest.mark.parametrize(
    "text", ["**Password**: {}", "| Password | {} |", "<password>{}</password>", "<td>Password</td>\n<td>{}</td>"]
)
def test_markup_that_nobody_made_plain_is_looked_through(text: str) -> None:
    assert WORD not in redacted(text.format(WORD))


@pytest.mark.parametrize(
    "text",
    [
        "Password **must** be changed",
        "Enter your password and go on",
        "Password reset for Anna Meyer: locked out",
        "The password expires on: 2026-11-22",
        "👩\u200d💻 works from home",
        "| Host | Address |\n|---|---|\n| SRV-1 | 192.0.2.1 |",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert redacted(text) == text


def test_a_row_of_a_pretty_printed_table_is_one_line() -> None:
    assert plain("<table>\n<tr>\n <td>Host</td>\n <td><p>SRV-1</p></td>\n</tr>\n</table>") == "Host | SRV-1"


@pytest.mark.parametrize("piece", NASTY)
def test_20_000_characters_that_were_made_to_be_slow_are_read_in_a_second(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    begun = process_time()
    redacted(text)
    plain(text)
    assert process_time() - begun < 1.0


def _is_cut_out(text: str, password: str) -> None:
    assert password not in told(text, most=10_000)
    found = sent_records([record_of(Note, {"id": 1, "notes": text}, label="Vendor")])
    assert password not in json.dumps(found)
