"""Subjects of tickets as people write them, by the template of the library that is meant for them."""

from __future__ import annotations

from typing import Final

TICKETS: Final[dict[str, tuple[str, ...]]] = {
    "password-reset": (
        "I forgot my password over the holidays",
        "Need new windows password for Marta please",
        "Habe mein Passwort vergessen",
    ),
    "account-lockout": ("My account keeps getting locked every morning", "User locked out 4 times today"),
    "mfa-reset": (
        "Got a new phone, authenticator codes do not work any more",
        "Lost my mobile and cannot get past the verification code",
    ),
    "new-user-onboarding": (
        "New starter on Monday: Priya Nair, sales",
        "Neuer Mitarbeiter ab 1. Dezember, bitte Benutzer anlegen",
    ),
    "offboarding": ("Tom leaves on Friday, please disable his account", "Termination effective today - close access"),
    "phishing": (
        "Suspicious email asking to change bank details",
        "I clicked a link in a strange mail and typed my password",
    ),
    "spam-quarantine-release": (
        "Please release a mail from quarantine",
        "Supplier's mails are caught by the spam filter",
    ),
    "email-delivery-failure": (
        "Undeliverable: mail to customer bounced back",
        "Our messages to gmail are rejected with 550 5.7.26",
    ),
    "shared-mailbox": ("We need a shared mailbox invoices@ for accounting",),
    "distribution-list": (
        "Add Lena to the all-staff distribution list",
        "Bitte Frau Weber aus dem Verteiler Vertrieb nehmen",
    ),
    "mailbox-delegation": (
        "Give Sara access to Peter's mailbox while he is on leave",
        "My assistant should see my calendar",
    ),
    "vpn": ("VPN won't connect from home", "Connected to the VPN but cannot reach the file server"),
    "wifi": ("Wi-Fi drops in the meeting room", "WLAN im Lager sehr langsam"),
    "printer": ("Printer on 2nd floor offline", "Scan to mail no longer works", "Drucker druckt nicht"),
    "phone-voice": ("No sound on Teams calls with customers", "Desk phones have no dial tone"),
    "slow-computer": ("My laptop is extremely slow since last week", "PC freezes all the time"),
    "warranty-claim": ("Laptop screen broken, still under warranty", "Battery of the notebook is dead after 8 months"),
    "device-replacement": ("Replace my old laptop with the new model", "Swap of Anna's computer, hardware refresh"),
    "new-workstation": ("Please set up a new workstation for reception",),
    "software-install-request": ("Can you install AutoCAD on my computer?", "Please install PDF editor"),
    "licence-change": ("We need one more Microsoft 365 Business Premium licence", "Remove the Visio licence of Jonas"),
    "disk-space": ("ALERT: C: drive on SRV-FILE01 has 3% free disk space", "Festplatte voll auf Server DC2"),
    "failed-backup": ("Backup job 'SQL nightly' failed with VSS error", "Veeam: no backup of SRV02 for 2 days"),
    "file-restore": (
        "I deleted a folder by mistake, can you restore it?",
        "Excel file was overwritten, need yesterday's version",
    ),
    "server-reboot": ("Server APP01 hangs, please restart it", "Planned reboot of the terminal server tonight"),
    "patching": ("12 machines missing critical Windows updates", "KB5034441 fails to install on several PCs"),
    "certificate-expiry": (
        "SSL certificate of the webshop expires in 5 days",
        "Browser says the site is not secure, certificate expired",
    ),
    "malware-alert": ("Sophos: malware detected on LAPTOP-14", "Virus warning popped up on my screen"),
    "vendor-outage": (
        "Internet provider outage at the branch office?",
        "Is Microsoft 365 down? Nobody can open Outlook on the web",
    ),
    "quarterly-access-review": ("Quarterly access review Q4", "Auditor asks for a review of user permissions"),
}
