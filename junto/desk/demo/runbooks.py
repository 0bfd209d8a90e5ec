"""The runbooks of the demo: their texts stand beside this module as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runbooks.models import Runbook

FOLDER = Path(__file__).parent / "runbooks"


@dataclass(frozen=True)
class DemoRunbook:
    """One of them; `name` is its file's."""

    name: str
    title: str
    description: str
    category: Runbook.Category
    audience: Runbook.Audience
    tags: tuple[str, ...]

    @property
    def body(self) -> str:
        """The text, without a line end behind it, as the editor saves it."""
        return (FOLDER / f"{self.name}.md").read_text(encoding="utf-8").strip()


#: Templates of the library that the demo publishes as they come: tickets of its world lead through them, and with them
#: through systems beside the PSA (Sophos, Pax8 and Microsoft 365, IT Glue).
FROM_LIBRARY = ("malware-alert", "licence-change", "certificate-expiry")

RUNBOOKS = (
    DemoRunbook(
        name="password-reset",
        title="Reset a password or unlock an account",
        description="Somebody cannot sign in: forgotten password, locked account, endless password prompts in Outlook.",
        category=Runbook.Category.ACCESS,
        audience=Runbook.Audience.HYBRID,
        tags=(
            "password",
            "sign-in",
            "locked account",
            "mfa",
            "outlook",
            "Passwort vergessen",
            "Kennwort abgelaufen",
            "Konto gesperrt",
            "Anmeldung",
            "mot de passe oublié",
            "compte verrouillé",
            "contraseña olvidada",
            "cuenta bloqueada",
            "wachtwoord vergeten",
        ),
    ),
    DemoRunbook(
        name="phishing-report",
        title="Suspicious mail or phishing report",
        description="A strange mail was reported, a link was clicked, or a password was typed into a fake page.",
        category=Runbook.Category.SECURITY,
        audience=Runbook.Audience.HYBRID,
        tags=(
            "phishing",
            "spam",
            "suspicious mail",
            "invoice fraud",
            "security",
            "verdächtige Mail",
            "courriel suspect",
            "correo sospechoso",
        ),
    ),
    DemoRunbook(
        name="disk-full",
        title="Disk nearly full on a server or workstation",
        description="Monitoring reports low disk space on a drive; find out how bad it is and what fills it.",
        category=Runbook.Category.MONITORING,
        audience=Runbook.Audience.AI,
        tags=(
            "disk space",
            "storage",
            "monitoring alert",
            "server",
            "drive full",
            "Festplatte voll",
            "Speicherplatz",
            "disque plein",
            "disco lleno",
        ),
    ),
    DemoRunbook(
        name="failed-backup",
        title="Backup job failed or did not run",
        description="A backup failed, was skipped or has not reported; say how old the last good one is and why.",
        category=Runbook.Category.BACKUP,
        audience=Runbook.Audience.AI,
        tags=(
            "backup",
            "failed job",
            "VSS",
            "restore",
            "replication",
            "Sicherung fehlgeschlagen",
            "Datensicherung",
            "sauvegarde échouée",
            "copia de seguridad",
        ),
    ),
    DemoRunbook(
        name="vpn-trouble",
        title="VPN does not connect or reaches nothing",
        description="Working from outside the office fails: no connection, refused code, or connected without network.",
        category=Runbook.Category.NETWORK,
        audience=Runbook.Audience.HYBRID,
        tags=(
            "VPN",
            "remote work",
            "home office",
            "connection",
            "gateway",
            "keine Verbindung",
            "télétravail",
            "connexion impossible",
            "sin conexión",
        ),
    ),
)
