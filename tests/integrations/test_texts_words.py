"""A help desk writes of passwords all day: sentences about them stay, passwords go."""

from __future__ import annotations

from time import process_time

import pytest
from pydantic import JsonValue

from integrations.answers import AnswerReader
from integrations.errors import VendorError
from integrations.records import REMOVED, without_secrets
from integrations.texts import plain, redacted

STAYS = """
The password is expired, reset it
My password is expired and I cannot log in
Passwort ist abgelaufen
Das Passwort ist seit gestern abgelaufen.
The token is valid
wpa2 is enabled
Password: see IT Glue
otp: enabled
Mein Passwort ist falsch, bitte zurücksetzen
Le mot de passe est expiré
La contraseña es incorrecta
Password reset: Anna cannot log in
Reset password: Anna Meyer
The password is correct but Outlook keeps asking
Password is required
MFA token: active
Password: expired since Monday
Passwort: siehe IT Glue
Mot de passe : voir IT Glue
Contraseña: ver IT Glue
My password expired!!!
I forgot my password!
I forgot my password
Thanks!
The user name or password is incorrect.
MY PASSWORD IS EXPIRED!!
The password is case-sensitive
Password is still not working
the pin is now required at every start
Passwort ist jetzt abgelaufen
Das Kennwort wird nicht angenommen
The password is 90 days old
The password must be at least 12 characters: please choose another
Password: 12 characters at least
Password policy: 12 letters, changed every 90 days
The PIN is 6 digits long
Enter your password, then click OK
How to reset a password:
1. Open the portal
To change the password:
- Open the settings and choose Account
How to reset your password: https://portal.example/reset
Please reset the password for anna.meyer@harbor.example
Please reset password anna.meyer@harbor.example
my password Office365 does not work
Password? I never had one
The token is used to launch the desktop
The secret is not in the vault
Is the pin is blocked message known?
Password was changed yesterday
Passwort wurde gestern geändert
Password changed on 2026-11-20 by Anna
The password expires on: 2026-11-22
User: anna.meyer / Accounting
Username: bob / Front desk
the wifi password is the same as before
Das WLAN-Passwort ist dasselbe wie vorher
Password: same as for the laptop
Passwort: gleiches wie am Laptop
Client secret is about to expire
The API key is missing
API key: missing
Wi-Fi key: unknown
Kennwort: unbekannt
The passcode is asked for twice
Password is set to never expire
Password to Office 365 is lost
her password as soon as possible!
Error: wrong password: please try again
Your password was reset to the default by the vendor
The pass is numbered 1 to 3 in the log
Password reset to be done by Theo
Password: N/A
Password: none
Please set a new password as soon as you can.
WPA2 is used, WEP is off
Mot de passe oublié
Le mot de passe est correct, mais la session se ferme
Le code PIN est bloqué
El PIN es obligatorio
La contraseña es la misma que antes
La clave es reiniciar el equipo
Password needs to be changed every 90 days!
She says the password is not accepted.
Is the password still valid?
The new password will be sent by phone
the password is in the safe
Das Passwort ist im Tresor
Passwort ist Pflicht
secret is being rotated
Private key is installed on SRV-1
| Topic | Password policy |
| Password reset | Yes |
| Account | Password |
| Anna | expired |
"""

GOES = [
    "Password:\n```\nhorsechestnut\n```",
    "Password\n```text\nhorsechestnut\n```",
    "User\tPassword\nadmin\thorsechestnut",
    "| User | Password |\n| bob | horsechestnut |",
    "password is: Gr33n!Horse",
    "Passwort ist: horsechestnut",
    "Kennwort lautet: horsechestnut",
    "mot de passe est : horsechestnut",
    "Contraseña es: horsechestnut",
    "The password is now Gr33n!Horse",
    "The password is now: horsechestnut",
    "Das neue Passwort ist jetzt Gr33n!Horse",
    "Password: is Gr33n!Horse",
    "Password: new Gr33n!Horse",
    "lautet: Passwort lautet wie folgt: horsechestnut",
    "the password is as follows: horsechestnut",
    "password is = horsechestnut",
    'ConvertTo-SecureString "Gr33n!Horse" -AsPlainText -Force',
    "ConvertTo-SecureString -String horsechestnut",
    "net user bob Gr33n!Horse /add",
    "net user bob horsechestnut /add",
    "curl -u admin:horsechestnut https://x.example",
    "the new password will be Gr33n!Horse",
    "Use admin and her password as Gr33n!Horse",
    "creds admin / Gr33n!Horse",
    "Ｐassword: horsechestnut",
    "Passwort (neu) Gr33n!Horse",
    "Password: horsechestnut",
    "Password: Horsechestnut",
    "password:horsechestnut",
    "user: bob password: horsechestnut host: srv",
    "Password: horsechestnut, user: bob",
    "password = horsechestnut",
    "PIN: 4711",
    "PIN is 4711",
    "The PIN is 471193.",
    "pw: horsechestnut",
    "pwd=horsechestnut;",
    "Passwort: Sommer2026!",
    "Das Passwort lautet Sommer2026",
    "Mot de passe : Soleil2026",
    "Le mot de passe est Soleil2026.",
    "La contraseña es Verano2026",
    "La contraseña: verano",
    'the wifi password is "horsechestnut"',
    "wpa2: horsechestnut",
    "WLAN Passwort: horsechestnut",
    "psk - horsechestnut",
    "my password is GreenHorse",
    "Password for the router: Gr33n!Horse",
    "the password was reset to Gr33n!Horse",
    "password Gr33n!Horse does not work",
    "password `horsechestnut`",
    "login: adm / horsechestnut",
    "api key: abcdef1234567890",
    "Token: tok_9f8e7d6c5b4a",
    "client secret: x~8Q~abcdef",
    "--password horsechestnut",
    "Password: password: horsechestnut",
    "the password is password: horsechestnut",
    "Password:Gr33n!Horse",
    "Password -> horsechestnut",
    "Password → horsechestnut",
    "Password: 12345678",
    "Passwort ist neu: horsechestnut",
    "Password (old): horsechestnut",
    "| Password | horsechestnut |",
    "Password: Expired2026!",
    "Password: see-Gr33n!",
    "Password: horsechestnut for the router",
    "Password: Horsechestnut (in the safe too)",
    "Passwords: horsechestnut",
    "Senha: horsechestnut",
    "PASSWORD: HORSECHESTNUT",
    "the password is Green_Horse",
    "The password is green+horse",
    "clé wifi : horsechestnut",
    "Recovery key is 123456-123456-123456-123456-123456-123456-123456-123456",
]
PASSWORDS = (
    *(
        "horsechestnut",
        "Gr33n",
        "4711",
        "Sommer2026",
        "Soleil2026",
        "Verano2026",
        "verano",
        "GreenHorse",
        "tok_9f",
        "8Q~",
    ),
    *("12345678", "abcdef12", "green+", "Green_", "HORSECH", "Expired2026", "123456"),
)
"""What no text of `GOES` may tell any more."""


@pytest.mark.parametrize("text", STAYS.strip().split("\n"))
def test_a_sentence_about_a_password_stays(text: str) -> None:
    assert redacted(text) == text


def test_sentences_about_passwords_stay_among_each_other() -> None:
    assert redacted(STAYS) == STAYS


@pytest.mark.parametrize("text", GOES)
def test_a_password_goes_however_it_is_told(text: str) -> None:
    told = redacted(text)
    assert "[removed" in told
    assert not [one for one in PASSWORDS if one in told]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_words_of_an_error_are_told_without_the_password_in_them(status: int) -> None:
    reader = AnswerReader(label="Vendor", secrets=(), explain=str)
    with pytest.raises(VendorError) as found:
        reader.understood(url="https://x.example", status=status, headers={}, body=b'"Harbor password: Gr33n!Horse"')
    assert "Harbor password: [removed" in str(found.value)
    assert "Gr33n" not in str(found.value)


@pytest.mark.parametrize(
    "text",
    [
        "Run `Get-Mailbox -Identity <user>` then `ssh <host>`, or `ssh <address>`.",
        "Put <style> into the head. Then restart the router: the fix is step 2.",
        '<add key="a" value="b"/> in web.config',
        "Bob <bob@x.example>, then <https://x.example/a>",
        "OWN <script> x",
        "if a<b and c>d, a <!-- and <![ that nothing ends",
    ],
)
def test_what_only_looks_like_a_tag_stays(text: str) -> None:
    assert plain(text) == text
    assert without_secrets({"answer": [text]}) == {"answer": [text]}


def test_what_has_an_end_is_a_tag() -> None:
    html = "<style>p {}</style><P>One<o:p></o:p><br/>two <a href='x'>there</a><!-- no --></P><script>x()</script>"
    assert plain(html) == "One\ntwo there"


@pytest.mark.parametrize("text", ["a:\n  b: <b>x</b>\n    c: 1", '{"a": 1,   "b": "x"}', "<p>One</p>  <p>two</p>"])
def test_an_answer_of_a_server_keeps_its_spaces_and_its_markup(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "html",
    [
        "<summary>Password</summary>{}",
        "<font>Password</font>{}",
        "<table><tr><th>User</th><th>Password</th></tr><tr><td>bob</td><td>{}</td></tr></table>",
        "<dl><dt>Password</dt><dd>{}</dd></dl>",
    ],
)
def test_a_password_in_markup_goes_from_an_answer_of_a_server(html: str) -> None:
    assert "Gr33n" not in str(without_secrets(html.format("Gr33n!Horse")))
    assert "Gr33n" not in redacted(plain(html.format("Gr33n!Horse")))


@pytest.mark.parametrize(
    "record",
    [
        {"title": "Password reset for Anna", "text": "Anna cannot log in since Monday"},
        {"name": "Reset a password", "content": "Step 1: open the portal"},
        {"type": "password_reset", "data": {"who": "Anna"}},
        {"key": "Password policy", "value": "12 letters"},
        {"token_count": 5, "tokens_used": 7, "primary_key": 3, "max_tokens": 9},
    ],
)
def test_a_record_about_passwords_stays(record: dict[str, JsonValue]) -> None:
    assert without_secrets(record) == record


@pytest.mark.parametrize(
    "label", ["Password", "Admin password", "Passwort (alt)", "Admin PW", "wifi_password", "PIN 2"]
)
def test_what_stands_beside_the_name_of_a_secret_goes(label: str) -> None:
    assert without_secrets({"name": label, "value": "horsechestnut"}) == {"name": label, "value": REMOVED}


def test_one_word_that_looks_like_a_password_goes_beside_a_sentence_about_it() -> None:
    record: JsonValue = {"title": "Password for Anna", "text": "Gr33n!Horse"}
    assert without_secrets(record) == {"title": "Password for Anna", "text": REMOVED}


@pytest.mark.parametrize(
    "piece", ["<script>", "<!--", "<![", "<x:", "<password", "</style", "<a ", "password is ", "\tpin"]
)
def test_markup_that_was_made_to_be_slow_is_read_in_a_second(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    begun = process_time()
    plain(text)
    without_secrets(text)
    assert process_time() - begun < 1.0
