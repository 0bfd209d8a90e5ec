"""Passwords beside a place or an older one, lists of codes, and keys that are known by how they begin."""

from __future__ import annotations

import pytest

from integrations.texts import redacted
from tests.integrations.redaction_time import assert_time_by_length

#: A text, and what it may not tell any more.
GOES = [
    ("Password changed from Alpha11! to Beta22!", "Alpha11 Beta22"),
    ("Password was changed from Alpha11! to Beta22!", "Alpha11 Beta22"),
    ("password changed from Alpha11 to Beta22.", "Alpha11 Beta22"),
    ("Passwort von Alpha11! auf Beta22! geändert", "Alpha11 Beta22"),
    ("Passwort wurde von Alpha11! auf Beta22! geändert", "Alpha11 Beta22"),
    ("mot de passe changé de Alpha11! à Beta22!", "Alpha11 Beta22"),
    ("Passwort: vorher Alt!1111, jetzt Neu!2222", "Alt!11 Neu!22"),
    ("Password: was Alt!1111, now Neu!2222", "Alt!11 Neu!22"),
    ("Passwort vom Chef ist Porsche911", "Porsche"),
    ("Das WLAN-Passwort im Besprechungsraum ist besuch2026", "besuch"),
    ("The password we use is Sommer2024", "Sommer"),
    ("contraseña del router: 12345678", "12345"),
    ("MDP wifi boutique : lavande84", "lavande"),
    ("alarm code at the side door is 4471#", "4471"),
    ("PIN for the voicemail 9182", "9182"),
    ("PIN for the voicemail is 9182", "9182"),
    ("Passwort beim Router ist Druck99", "Druck"),
    ("password at reception: Desk2024", "Desk2024"),
    ("password in IT Glue: Gr33n!Horse", "Gr33n"),
    ("mot de passe dans la salle : Caja2024", "Caja"),
    ("contraseña del NAS es Caja2024", "Caja"),
    ("MFA backup codes: 1234-5678, 2345-6789, 3456-7890", "1234 5678 2345 6789 3456 7890"),
    ("MFA backup codes:\n1234-5678\n2345-6789\n3456-7890", "1234 5678 2345 6789 3456 7890"),
    ("MFA backup codes:\n- 1234-5678\n- 2345-6789", "1234 5678 2345 6789"),
    ("Backup codes: 12345678 23456789 34567890", "12345 23456 34567"),
    ("Authenticator secret key: JBSW Y3DP EHPK 3PXP", "JBSW Y3DP EHPK 3PXP"),
    ("secret key: jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp", "jbsw y3dp ehpk 3pxp"),
    ("Le cambié la contraseña a Madrid2026", "Madrid"),
    ("He cambiado la contraseña a Madrid2026", "Madrid"),
    ("Le puse la contraseña a Madrid2026", "Madrid"),
    ("Le code de la porte est le 2580", "2580"),
    ("code d'alarme 5566", "5566"),
    ("Zugang: admin / Halle2!Switch", "Halle2"),
    ("login is jdoe, password same as before: Blue42Sky", "Blue42"),
    ("pasword: Gr33n!Horse", "Gr33n"),
    ("psswd Gr33n!Horse", "Gr33n"),
    ("Anna's password, Gr33n!Horse, stopped working", "Gr33n"),
    ("passcode for iPad 258036", "258036"),
    ("Lizenzschlüssel: ABCDE-12345-FGHIJ", "ABCDE 12345"),
    ("Kennw. Gr33n!Horse", "Gr33n"),
    ("MFA: 482913", "482913"),
    ("contraseña cambiada de Alpha11! a Beta22!", "Alpha11 Beta22"),
    ("I have changed the password from horse7 to tree8 this morning", "horse7 tree8"),
    ("Kennwort von Sommer2025 auf Winter2026 umgestellt", "Sommer Winter"),
    ("Password: Alt!1111 => Neu!2222", "Alt! Neu!"),
    ("Backup codes:\n1. 1234-5678\n2. 2345-6789", "1234 2345"),
    ("Backup codes are: 1234-5678,2345-6789", "1234 2345"),
    ("MFA secret: jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp", "jbsw 3pxp"),
    ("TOTP secret JBSW-Y3DP-EHPK-3PXP", "JBSW 3PXP"),
    ("alarm code for Harbor Dental 5566, then press 1", "5566"),
    ("PUK für das Handy 48213377", "48213377"),
    ("La clave de la alarma es la 2580", "2580"),
    ("mot de passe à la réception est soleil2026", "soleil"),
    ("Password: horsechestnut has expired", "horsechestnut"),
    ("pass: Gr33n-Horse 3", "Gr33n"),
    ("2FA: 482 913", "482 913"),
    ("Passw.: horsechestnut", "horsechestnut"),
    ("password issued: Gr33n!Horse", "Gr33n"),
    ("Password: old Alt!1111 -> new Neu!2222", "Alt! Neu!"),
    ("Password: before Alt!1111, after Neu!2222", "Alt! Neu!"),
    ("Zugang VPN: anna / Halle2!Switch", "Halle2"),
]
#: Put together here, so that nobody takes the keys of this list for real ones.
KEYS = [
    "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    "rk_" + "test_4eC39HqLyjWDarjtT1zdp7dc",
    "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "xapp-" + "1-A0123456789-1234567890123-abcdef0123456789",
    "glpat-" + "abcDEF1234567890xyzw",
    "github_pat_" + "11ABCDEFG0abcdefghijkl_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "SG." + "abcdefghijklmnopqrstuv." + "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "AKIA" + "IOSFODNN7EXAMPLE / wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AKIA" + "IOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
]
ADDRESSES = [
    ("https://x.blob.core.windows.net/c/b?sv=2022-11-02&sig=", "abcDEF123%2Bghi%2Fjkl4567890mnopqrstuvwxyzABCDE%3D"),
    ("https://x.blob.core.windows.net/c/b?sv=2022-11-02&amp;sig=", "%2BbcDEF123ghi%2Fjkl4567890mnop%3D"),
    ("https://hooks.slack.com/services/", "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"),
]
STAYS = [
    "password changed from the portal to SSO",
    "Password changed from Theo to Anna on 2026-11-20",
    "The password was changed from 8 to 12 characters",
    "Passwort vom Chef ist abgelaufen",
    "Passwort im Tresor",
    "Das Passwort im Tresor ist veraltet",
    "password in IT Glue is up to date",
    "PIN for the voicemail is locked",
    "PIN for the voicemail has 6 digits",
    "alarm code at the side door is changed monthly",
    "The password we use is the same as before",
    "contraseña del router: caducada",
    "MDP wifi boutique : inconnu",
    "Please call about the MFA, +41 44 555 01 01",
    "MFA: 3 users, 482 sign-ins",
    "MFA: enabled",
    "sk_live mode",
    "The keys sk_live_ and xoxb- are prefixes",
    "1234-5678 is the order number",
    "Order numbers: 1234-5678, 2345-6789",
    "Backup codes are in IT Glue, pages 12-14",
    "Backup codes: 8 to 10 digits",
    "Password: Anna Meyer cannot log in",
    "Passwort: 3x falsch eingegeben",
    "pass: VIP-Gate 3",
    "Passwort: Anna Meyer kann sich nicht anmelden",
    "Password: 2x wrong",
    "Le code de la porte est le même",
    "code d'alarme inconnu",
    "Zugang: siehe IT Glue",
    "Zugang zu SRV-01 / SRV-02 gesperrt",
    "Der Zugang / Eingang 2 ist gesperrt",
    "Temporary password issued: see ticket",
    "Anna's password, which expired, was reset",
    "Anna's password, account and PC-0042 are ready",
    "passcode for iPad is unknown",
    "passcode for iPad 2024 is unknown",
    "PIN for SRV-01 is unknown",
    "Password for Office 2021 is lost",
    "Lizenzschlüssel: siehe IT Glue",
    "Lizenzschlüssel fehlt",
    "Kennw. abgelaufen",
    "The token for build 20261122 is expired",
    "Password at 10:15: expired",
    "Password in Outlook: asked 3 times",
    "Password dialog at the start: every 5 minutes",
    "Das Passwort beim Router: bitte ändern",
    "Passwort vorher war falsch, jetzt gesperrt",
    "Le cambié la contraseña a Anna",
    "He cambiado la contraseña a petición de Anna",
    "the password was changed from SRV-01 to SRV-02",
    "https://x.example/?sig=no",
    "hooks.slack.com/services is blocked",
    "the commit AIza is none",
    "password we use is on page 12",
    "Two secrets in the vault: SRV-01 and SRV-02",
    "Secret key holder: Anna Meyer",
    "MFA: 2 phones, 482913 events",
    "Zugang: Eingang / Nordseite",
    "Zugang: VPN / Server2019",
    "Passw. abgelaufen",
    "Password at logon: error 0x8007052e",
    "Passwort im Portal ist 8-stellig",
    "Passwort am Handy ist falsch (iPhone14)",
    "WLAN Passwort im Zimmer 101 ist unbekannt",
    "Password same as for PC-0042: yes",
    "PIN for extension 4821 is locked",
    "PIN for user 4711 does not work",
    "PIN of card 48213377 is blocked",
    "PIN for Windows 11 22631 fails",
    "PSK in AP-Group-12 is WPA3-only",
    "The password length was changed from 8-char to 12-char",
    "Passwort von Office365 auf Server2019 geändert",
    "Password was changed from 10.0.0.5 to allow the login",
    "Her passwords, PC-0042, and card, are lost",
    "Enter your password, company-id, and go on",
    "The password with that they will have this",
    "Passwords: two, 12-14 letters",
    "Passwords changed 11/12, 11/13",
    "Passwörter: siehe Seite 12-14",
    "Le mot de passe est le même que PC-0042",
    "secret at vault/prod/db-creds is missing",
    "client secret in app registration Junto-Prod: expires 2027-01-31",
    "Password at 8am: locked; 9am: unlocked",
    "SG.1 and SG.2 are sections",
    "Password: before 10:15 it worked",
    "Password: old one is expired",
    "Password: before 2026-11-20 it was another",
    "Zugang VPN: SRV-01 / SRV-02",
    "PIN on device SN 48213377 is blocked",
    "PIN changed from 4-digit to 6-digit",
    "Her number is +41 44 555 01 01, his is 044 555 01 02",
]
SLOW = [
    *("password: old: ", "password: old a", "password: before a1 "),
    *(
        "password changed from a ",
        "password from a to ",
        "password, abcdef",
        "password, abcdef,",
        "pin for a ",
        "pin in ",
    ),
    *("code for the alarm in ", "backup codes: 1234-5678, ", "secrets 1234-5678\n", "secret key: jbsw ", "jbsw y3dp "),
    *(
        "password in ",
        "password same as before ",
        "pass: ab-cd 3 ",
        "Password: Anna Meyer ",
        "kennw. ",
        "mfa: 482 ",
        "2fa",
    ),
    *(
        "password is are as ",
        "zugang: a ",
        "sk_" + "live_",
        "xoxb-a",
        "xapp-1-",
        "glpat-.",
        "github_pat_",
        "AIza",
        "SG.a.",
    ),
    *(
        "SG." + "a" * 20 + ".",
        "AKIA" + "A" * 16 + " ",
        "AKIA",
        "&sig=",
        "sig=",
        "hooks.slack.com/services/T",
        "eyJ",
        "ghp_",
    ),
]


@pytest.mark.parametrize(("text", "secrets"), GOES)
def test_a_password_goes_whole_beside_its_place_and_the_one_before(text: str, secrets: str) -> None:
    told = redacted(text)
    assert "[removed" in told
    assert not [one for one in secrets.split() if one in told]
    assert redacted(told) == told


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_key_goes_by_how_it_begins_with_no_word_before_it(key: str) -> None:
    assert redacted(f"We use {key} now.") == "We use [removed: looks like a password] now."


@pytest.mark.parametrize(("address", "secret"), ADDRESSES)
def test_an_address_is_told_without_what_opens_it(address: str, secret: str) -> None:
    told = redacted(f"It is at {address}{secret} still.")
    assert secret[:12] not in told
    assert told.startswith(f"It is at {address.removesuffix('sig=')}[removed")
    assert told.endswith("] still.")


@pytest.mark.parametrize("text", STAYS)
def test_what_is_said_of_places_changes_and_numbers_stays_to_the_letter(text: str) -> None:
    assert redacted(text) == text


def test_all_that_stays_does_so_together() -> None:
    text = "\n\n".join(STAYS)
    assert redacted(text) == text


@pytest.mark.parametrize("piece", SLOW)
def test_a_text_that_was_made_to_be_slow_takes_time_by_its_length_alone(piece: str) -> None:
    assert_time_by_length(piece)
