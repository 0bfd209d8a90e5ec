"""The many ways in which people write a password down, in three languages, and what only looks like one of them."""

from __future__ import annotations

from time import process_time

import pytest

from integrations.nets import NETS, Net, without_values
from integrations.texts import redacted, without_passwords

GOES = [
    "api_key=horsechestnut77",
    "api-key: horsechestnut",
    'apiKey: "horsechestnut"',
    "client_secret = horsechestnut77",
    '"clientSecret": "horsechestnut"',
    "access_token=horsechestnut77",
    "db_password=horsechestnut",
    "DB_PASS=horsechestnut",
    "dbPass: horsechestnut",
    "smtpPassword: horsechestnut",
    "aws_secret_access_key=horsechestnut77",
    "AWS_SECRET_ACCESS_KEY: horsechestnut77",
    "signing-key: horsechestnut77",
    "SharedAccessKey=horsechestnut77;",
    "AccountKey=horsechestnut77",
    "secret_key: horsechestnut",
    "AdminPW: horsechestnut",
    "adminPIN: 4821",
    "WiFiPSK: horsechestnut",
    "Admin-PW: horsechestnut",
    "Password?: horsechestnut",
    "Passwort ?: horsechestnut",
    "Password?? Gr33n!Horse",
    "Kennwort?: horsechestnut",
    "Authorization: Bearer Gr33nHorse77xyz",
    '"Authorization": "Bearer Gr33nHorse77xyz"',
    "Authorization: Basic YWRtaW46R3IzM24hSG9yc2U=",
    'curl -H "Authorization: Bearer Gr33nHorse77xyz" https://x.example',
    "authorization=Gr33nHorse77xyz",
    "use bearer Gr33nHorse77xyz",
    "Proxy-Authorization: Basic YWRtaW46R3IzM24hSG9yc2U=",
    "Password has been reset to Gr33n!Horse",
    "Password set to Gr33n!Horse",
    "I set the password to Gr33n!Horse",
    "password changed to Gr33n!Horse.",
    "Changed his password back to Gr33n!Horse",
    "Passwort geändert auf Gr33n!Horse",
    "Passwort wurde auf Gr33n!Horse geändert",
    "Passwort zurückgesetzt auf Gr33n!Horse",
    "Das Passwort von Anna wurde auf Gr33n!Horse zurückgesetzt",
    "Habe das Kennwort auf Sommer2026 gesetzt",
    "Passwort neu gesetzt: Gr33n!Horse",
    "Password was reset: Gr33n!Horse",
    "Le mot de passe a été réinitialisé à Soleil2026",
    "mot de passe changé en Soleil2026",
    "Mot de passe modifié : Soleil2026",
    "La contraseña se ha cambiado a Verano2026",
    "contraseña restablecida a Verano2026",
    "reset the password of bob to Gr33n!Horse",
    "Set password for anna.meyer@harbor.example to Gr33n!Horse",
    "login: admin Gr33n!Horse",
    "Login: admin, Gr33n!Horse",
    "Login: admin/Gr33n!Horse",
    "Zugangsdaten: admin Gr33n!Horse",
    "Anmeldung: admin Gr33n!Horse",
    "credentials: admin Gr33n!Horse",
    "Identifiants : admin Gr33n!Horse",
    "Login = admin Gr33n!Horse",
    "PIN-Code: 4821",
    "PIN code: 4821",
    "Pincode: 4821",
    "PIN 4821",
    "the PIN 4821 does not work",
    "MFA code: 482133",
    "MFA code 482133",
    "MFA-Code: 482133",
    "the MFA code is 482133",
    "2FA code 482133",
    "door code: 4821",
    "The door code is 4821#",
    "Door code 4821",
    "Code for the door: 4821",
    "code for the alarm is 4821",
    "Türcode: 4821",
    "Tür-Code 4821",
    "Code für die Haustür: 4821",
    "Alarmcode 4821",
    "Der Code der Alarmanlage lautet 4821",
    "Zugangscode: 4821",
    "Code de la porte : 4821",
    "code d'accès : 4821",
    "code porte 4821",
    "Le code de l'alarme est 4821",
    "código de acceso: 4821",
    "código de la puerta 4821",
    "código PIN: 4821",
    "Verification code: 482133",
    "Einmalcode 482133",
    "mysql -u root -pGr33n!Horse",
    "mysql -uroot -phorsechestnut db",
    "mysqldump --all-databases -u root -p'horsechestnut' > x.sql",
    "mysql --password=horsechestnut",
    "sshpass -p horsechestnut ssh adm@srv",
    "plink -pw horsechestnut adm@srv",
    "docker login -u adm -p horsechestnut r.example",
    "az login -u adm -p Gr33n!Horse",
    "app password: abcd efgh ijkl mnop",
    "App-Passwort: abcd efgh ijkl mnop",
    "mot de passe d'application : abcd efgh ijkl mnop",
    "app password is abcd-efgh-ijkl-mnop",
    "app password abcd efgh ijkl mnop",
    "Password: Gr33n!Horse (old: Bl4u!Kuh)",
    "Passwort: Gr33n!Horse (alt: Bl4u!Kuh)",
    "Passwort: Gr33n!Horse (bisher Bl4u!Kuh)",
    "Password: Gr33n!Horse or Bl4u!Kuh",
    "Password: Gr33n!Horse, formerly Bl4u!Kuh",
    "Mot de passe : Gr33n!Horse (ancien : Bl4u!Kuh)",
    "Passwörter: admin Gr33n!Horse, bob Bl4u!Kuh",
    "Passwords: admin Gr33n!Horse; bob Bl4u!Kuh; carl Bl4u!Kuh",
    "Passwords: admin: Gr33n!Horse, bob: Bl4u!Kuh",
    "Passwords: admin - Gr33n!Horse, bob - Bl4u!Kuh",
    "Passwords: Gr33n!Horse and Bl4u!Kuh",
    "Mots de passe : admin Gr33n!Horse, bob Bl4u!Kuh",
    "Contraseñas: admin Gr33n!Horse, bob Bl4u!Kuh",
    "Kennwörter: admin=Gr33n!Horse, bob=Bl4u!Kuh",
    "Passwords:\n- admin: Gr33n!Horse\n- bob: Bl4u!Kuh",
    "Passwords\nadmin Gr33n!Horse\nbob Bl4u!Kuh",
    "Password for the router in the kitchen of Harbor: Gr33n!Horse",
    "Password: horsechestnut tree",
    "PIN: 48 21",
    "Password - horsechestnut",
    "Password\thorsechestnut",
    "Pwd horsechestnut77",
    "Passwort lautet nun: horsechestnut",
    "with password horsechestnut77",
    'using the password "horsechestnut"',
    'Passwort ist "horsechestnut"',
    'Password="horsechestnut"',
    "Password: Gr33n!Horse User: bob",
    "pw Gr33n!Horse",
    "User admin, password Gr33n!Horse",
    "user=admin;pwd=horsechestnut",
    "Token: KB5034441x9",
    "PSK horsechestnut77",
    "Server=x;User Id=sa;Password=horsechestnut;",
    "net use Z: \\\\srv\\\\x /user:adm Gr33n!Horse",
    "net use \\\\srv\\\\x Gr33n!Horse /user:adm",
    "xfreerdp /u:adm /p:Gr33n!Horse /v:srv",
    "cmdkey /add:srv /user:adm /pass:Gr33n!Horse",
    "smbclient //srv/x -U adm%Gr33n!Horse",
    "Set-ADAccountPassword bob -NewPassword (ConvertTo-SecureString 'horsechestnut' -AsPlainText -Force)",
    "New-LocalUser -Password horsechestnut",
    "Kennwort zurückgesetzt. Neu: Gr33n!Horse",
    "Password reset, new one: Gr33n!Horse",
    "Temporary password: horsechestnut",
    "temp pw Gr33n!Horse",
    "initial password horsechestnut1",
    "BitLocker key: 123456-123456-123456-123456-123456-123456-123456-123456",
    "Password: abcd must have been",
]
SECRETS = (
    *("horsechestnut", "Gr33n", "Bl4u", "4821", "482133", "Sommer2026", "Soleil2026", "Verano2026", "abcd", "efgh"),
    *("tree", "R3IzM24", "123456", " 21"),
)
"""What no text of `GOES` may tell any more."""

STAYS = [
    "Token KB5034441",
    "Token KB5034441 installed",
    "Tests pass: 24/24",
    "All tests pass: 24 of 24",
    "First pass: 12 errors, second pass: 3 errors",
    "Password: LAPS",
    "Passwort: LAPS",
    "Password: KeePass",
    "Password: in KeePass",
    "Password: see Bitwarden",
    "Passwort: siehe Tresor",
    "Password: 1Password",
    "Update the password in 1Password",
    "Password: shown once to the person",
    "Password: known to Anna",
    "Passwort: wird einmal gezeigt",
    "Pin|Voltage",
    "| Pin | Voltage |\n| 4 | 3.3V |",
    "Pin\tSignal\n4\tGND-5V",
    "| Pin | Farbe |\n| 12 | rot/weiss |",
    "Schlüssel HKLM\\SOFTWARE\\Policies\\Microsoft",
    "Schlüssel: HKLM\\SOFTWARE\\Policies",
    "Der Schlüssel HKEY_LOCAL_MACHINE\\System\\CurrentControlSet fehlt",
    "Schlüssel HKCU:\\Software\\X",
    "Token 0x80070005",
    "Token error 0x80090030",
    "Token AADSTS50173",
    "token INC0012345",
    "Token v2.3.1",
    "Password reset for SRV-01",
    "Passwort auf SRV-01 geändert",
    "Passwort auf DC01 geändert",
    "the password on PC-0042 is expired",
    "password 2026-11-22T10:14:00Z",
    "Password last set: 2026-11-22T10:14:00Z",
    "Password changed: 22.11.2026, 10:14",
    "Password changed on: 11/22/2026 10:15:22",
    "Kennwort zuletzt geändert: 22.11.2026 10:15",
    "Reset the password for anna: INC0012345",
    "Password was reset: see the ticket",
    "The password was changed to a new one",
    "The password was reset to the default",
    "Password changed to meet the policy",
    "Passwort geändert auf Wunsch von Anna",
    "mot de passe réinitialisé à la demande de Paul",
    "Authorization: required",
    "Authorization pending for 3 users",
    "bearer authentication is off",
    "last login: 2026-11-22 08:14:33",
    "Last login: Mon Nov 23 01:10:46 UTC 2026 from 10.0.0.1",
    "Failed login: anna 10.0.0.5",
    "login: anna.meyer PC-0017",
    "Login: anna meyer Office365",
    "Login failed for user 'sa'",
    "User: anna.meyer / Accounting",
    "Exit code: 4821",
    "error code 0x80070005",
    "Error code: 4821",
    "Code: 4625",
    "Zip code 90210",
    "Country code 0049",
    "The code is 4821 lines long",
    "status code 404",
    "MFA code does not arrive",
    "MFA code: expired",
    "The door code no longer works",
    "verification code not received",
    "SMS code takes 10 minutes",
    "security code scanning found 12 problems",
    "Access code is asked for twice",
    "PIN 2 of the plug",
    "Pin 12 is bent",
    "PIN policy: 6 digits",
    "mysql -u root -p",
    "mysql -P 3306 -h srv",
    "docker login fails on SRV-1",
    "api_key is missing",
    "api_key: $API_KEY",
    "client_secret expired",
    "access_token expires in 3600",
    "token_count: 512",
    "PublicKeyToken=31bf3856ad364e35",
    "KeePass: see entry Harbor",
    "LastPass: shared folder",
    "The user-interface/x-1.md is there",
    "Outlook/Client/user-interface/event-4096-is-logged.md",
    "user guide / part 2",
    "Is the password known? Yes, 2 people",
    "Password? see IT Glue",
    "app password is needed for IMAP",
    "app passwords must have been sent",
    "Password: must have been sent",
    "Password policy: 8-64 characters",
    "The token was sent to +41795550101",
    "Passwords: see IT Glue, ask Theo",
    "Passwords: expired, both",
    "Passwörter: siehe IT Glue, Abschnitt Server2019",
    "Passwort vergessen, Ticket INC-12345",
    "Reset token 12345",
    "License key server: SRV-LIC-01",
    "The key 0x3f is unknown",
    "Token ring network 10.0.0.0/24",
    "Secret Santa 2026",
    "PIN pad at door 12",
    "Passwords of 12 users were changed to comply with ISO-27001",
]

NASTY = [
    *(
        "login: a ",
        "login a / ",
        "mysql -u a ",
        "mysql -p",
        "net use \\\\a ",
        "curl -u a",
        "password to ",
        "password a, ",
    ),
    *("passwords\n- a ", "passwords: a b1!, ", "authorization: ", "bearer ", "[removed", "pin 1", "password: abcd "),
    *("code for the door ", "apiKey", "aB", "password was reset ", 'password "a', "password: a1! (old: ", "code d'"),
]


@pytest.mark.parametrize("net", [one for nets in NETS.values() for one in nets], ids=lambda one: one.example)
def test_each_net_catches_its_own_example(net: Net) -> None:
    told = without_values(net.example)
    assert "[removed" in told
    assert "Gr33n" not in told
    assert "4821" not in told


@pytest.mark.parametrize("text", GOES)
def test_a_password_goes_whole_however_it_is_written_down(text: str) -> None:
    told = redacted(text)
    assert "[removed" in told
    assert not [one for one in SECRETS if one in told]


@pytest.mark.parametrize("text", STAYS)
def test_what_is_no_password_stays_to_the_letter(text: str) -> None:
    assert redacted(text) == text


def test_all_of_it_together_stays_too() -> None:
    text = "\n\n".join(one for one in STAYS if one[:1].isalpha() and "\n" not in one)
    assert redacted(text) == text


@pytest.mark.parametrize("text", GOES)
def test_a_text_without_its_passwords_is_looked_through_again_without_a_change(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


def test_two_fields_whose_names_become_one_are_both_kept() -> None:
    fields = {"password: Gr33n!Horse": 1, "password: Bl4u!Kuh": 2}
    mark = "password: [removed: looks like a password]"
    assert without_passwords({**fields}) == {mark: 1, f"{mark} (2)": 2}


@pytest.mark.parametrize("piece", NASTY)
def test_a_text_that_was_made_to_be_slow_takes_no_more_than_twice_the_time_for_twice_the_length(piece: str) -> None:
    """Three times, as a machine that is busy measures badly."""
    for attempt in range(3):
        short, long = (_seconds((piece * size)[:size]) for size in (5_000, 20_000))
        if long < 1.0 and long < max(short * 10, 0.05):
            return
        assert attempt < 2, f"{short:.3f} s for 5,000 characters, {long:.3f} s for 20,000"


def _seconds(text: str) -> float:
    begun = process_time()
    redacted(text)
    return process_time() - begun
