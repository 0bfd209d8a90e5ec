"""What a ticket is about, by words of several languages: rules a person can read, with the words as evidence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Topic:
    """`stems` are beginnings of words (or phrases) that speak for the topic; `names` are words a board's type may
    bear for it, the nearest first."""

    name: str
    label: str
    names: tuple[str, ...]
    stems: tuple[str, ...]
    strong: tuple[str, ...] = ()


TOPICS: tuple[Topic, ...] = (
    Topic(
        "password", "a password or a locked account",
        ("password", "account", "access", "login", "user", "identity", "security"),
        ("password", "passwort", "kennwort", "contraseña", "contrasena", "mot de passe", "senha", "palavra-passe",
         "wachtwoord", "log in", "login", "log on", "sign in", "anmeld", "iniciar sesión", "connexion impossible",
         "credential", "zugangsdaten", "unlock", "locked out", "gesperrt", "bloquead", "verrouill",
         "expired password"),
        ("password reset", "reset password", "reset passwords", "passwort zurück", "locked out", "account locked",
         "mot de passe oublié", "restablecer la contraseña", "redefinir a senha"),
    ),
    Topic(
        "phishing", "a suspected phishing mail or fraud",
        ("phishing", "security", "incident", "email", "malware", "threat"),
        ("phish", "suspicious", "verdächtig", "sospechos", "suspect", "suspeit", "fraud", "betrug", "scam", "spoof",
         "malicious", "bösartig", "malicios", "hameçonnage", "clicked on a link", "clicked a link", "fake mail",
         "fake invoice", "ransomware", "malware", "virus", "trojan", "hacked", "compromised", "breach"),
        ("phishing", "hameçonnage", "clicked on a link", "clicked a link", "ransomware"),
    ),
    Topic(
        "disk", "disk space",
        ("disk", "storage", "server", "hardware", "monitoring", "alert"),
        ("disk space", "disk full", "disk usage", "low disk", "festplatte", "speicherplatz", "disco lleno",
         "espacio en disco", "espace disque", "disque plein", "espaço em disco", "disco cheio", "storage full",
         "running out of space", "free space", "drive is full", "volume", "quota", "c: drive", "disk"),
        ("low disk", "disk full", "disk space", "speicherplatz", "espace disque", "espacio en disco"),
    ),
    Topic(
        "backup", "a backup",
        ("backup", "recovery", "server", "storage", "monitoring", "alert"),
        ("backup", "back-up", "back up", "datensicherung", "sicherung", "copia de seguridad", "respaldo",
         "sauvegarde",
         "cópia de segurança", "restore", "wiederherstell", "restaur", "veeam", "snapshot", "recovery point"),
        ("backup failed", "failed backup", "backup job", "datensicherung", "sauvegarde", "copia de seguridad"),
    ),
    Topic(
        "printer", "a printer or scanner",
        ("printer", "printing", "peripheral", "hardware", "device"),
        ("printer", "print", "drucker", "druck", "impresora", "imprim", "imprimante", "impressora", "scanner",
         "scan to",
         "toner", "paper jam", "papierstau", "atasco", "bourrage", "plotter", "spooler"),
        ("printer", "drucker", "impresora", "imprimante", "impressora", "toner"),
    ),
    Topic(
        "vpn", "VPN or remote access",
        ("vpn", "remote access", "remote", "network", "connectivity"),
        ("vpn", "remote access", "fernzugriff", "acceso remoto", "accès à distance", "acesso remoto", "tunnel",
         "anyconnect", "forticlient", "globalprotect", "wireguard", "home office", "remote desktop", "rdp", "citrix"),
        ("vpn", "anyconnect", "forticlient", "globalprotect", "wireguard"),
    ),
    Topic(
        "onboarding", "a new employee or account",
        ("onboarding", "starter", "joiner", "new user", "new hire", "user", "access", "request"),
        ("new employee", "new starter", "new hire", "new user", "onboarding", "starts on", "joining", "joiner",
         "starting on", "neue kollegin", "neuer kollege", "trainee", "azubi", "stagiaire", "becario", "estagiári",
         "neuer mitarbeiter", "neue mitarbeiterin", "neuen mitarbeiter", "eintritt", "nuevo empleado",
         "nueva empleada",
         "nouvel employé", "nouvelle employée", "nouveau collaborateur", "novo funcionário", "nova funcionária",
         "novo colaborador", "first day", "set up an account", "create account", "nieuwe medewerker"),
        ("new employee", "new starter", "new hire", "onboarding", "neuer mitarbeiter", "nuevo empleado",
         "nouvel employé", "novo funcionário"),
    ),
    Topic(
        "offboarding", "an employee who leaves",
        ("offboarding", "leaver", "termination", "exit", "user", "access", "request"),
        ("offboarding", "leaver", "leaving the company", "last day", "départ", "termination", "terminated", "resigned",
         "disable account", "disable the account", "deactivate", "verlässt", "austritt", "ausscheid",
         "letzter arbeitstag",
         "deja la empresa", "baja de", "quitte l'entreprise", "départ de", "deixa a empresa", "desligamento",
         "último dia", "revoke access"),
        ("offboarding", "leaver", "leaving the company", "disable account", "letzter arbeitstag", "last day"),
    ),
    Topic(
        "licence", "a licence or subscription",
        ("license", "licence", "licensing", "subscription", "software", "purchase", "procurement", "request"),
        ("licence", "license", "lizenz", "licencia", "licença", "subscription", "abonnement", "suscripción",
         "assinatura",
         "seat", "renewal", "activation", "product key", "e3", "e5", "business premium"),
        ("licence", "license", "lizenz", "licencia", "licença"),
    ),
    Topic(
        "mailbox", "mail or a mailbox",
        ("email", "mailbox", "exchange", "outlook", "microsoft 365", "m365", "office 365", "collaboration"),
        ("mailbox", "postfach", "buzón", "boîte aux lettres", "boîte mail", "caixa de correio", "outlook", "exchange",
         "shared mailbox", "distribution list", "verteiler", "calendar", "kalender", "calendario", "bounce", "e-mail",
         "email", "correo", "courriel", "mail", "out of office", "signature", "teams"),
        ("mailbox", "postfach", "outlook", "shared mailbox", "distribution list"),
    ),
    Topic(
        "spam", "spam",
        ("spam", "email", "mail filter", "security"),
        ("spam", "junk", "unsolicited", "unerwünscht", "newsletter", "werbemail", "correo basura", "indésirable",
         "quarantine", "quarantäne", "seo services", "special offer", "unsubscribe", "marketing offer"),
        ("spam", "junk mail", "correo basura", "seo services"),
    ),
    Topic(
        "mfa", "multi-factor sign-in",
        ("mfa", "multi-factor", "authentication", "access", "account", "security", "login"),
        ("mfa", "2fa", "multi-factor", "multifactor", "two-factor", "authenticator", "zwei-faktor", "doble factor",
         "dos factores", "double authentification", "dois fatores", "verification code", "one-time code", "new phone",
         "neues handy", "security key"),
        ("mfa", "2fa", "authenticator", "two-factor", "multi-factor", "zwei-faktor"),
    ),
    Topic(
        "network", "the network or internet",
        ("network", "connectivity", "internet", "wifi", "infrastructure"),
        ("network", "netzwerk", "red ", "réseau", "rede ", "wifi", "wi-fi", "wlan", "internet", "switch", "router",
         "firewall", "dns", "dhcp", "latency", "packet loss", "no connection", "connectivity", "verbindung",
         "conexión",
         "conexão", "access point", "ethernet", "outage", "ausfall", "lan ", "isp"),
        ("network", "netzwerk", "réseau", "wifi", "wi-fi", "wlan", "internet", "firewall"),
    ),
    Topic(
        "alert", "an alert of the monitoring",
        ("alert", "monitoring", "server", "infrastructure", "event"),
        ("alert", "alarm", "monitor", "threshold", "cpu", "memory usage", "service stopped", "service is down",
         "offline",
         "unreachable", "critical:", "warning:", "agent offline", "heartbeat", "event id", "rmm", "überwachung",
         "ping",
         "host down", "uptime", "temperature"),
        ("monitoring alert", "cpu usage", "service stopped", "agent offline", "host down", "threshold"),
    ),
    Topic(
        "access", "access rights",
        ("access", "permission", "folder", "account", "user", "request", "administration"),
        ("access", "permission", "zugriff", "berechtigung", "zugang", "acceso", "permiso", "accès", "autorisation",
         "acesso", "permiss", "shared folder", "sharepoint", "rights", "role", "freigabe", "folder"),
        ("access request", "access to", "permission", "berechtigung", "zugriff auf", "acceso a", "accès à",
         "acesso a"),
    ),
    Topic(
        "purchase", "something to be bought",
        ("procurement", "purchase", "order", "sales", "quote", "hardware", "request"),
        ("purchase", "quote", "order ", "buy", "bestell", "angebot", "compra", "pedido", "cotización", "devis",
         "commande",
         "orçamento", "procure", "invoice", "rechnung", "factura", "facture", "fatura", "delivery", "po "),
        ("purchase", "new purchase", "bestellung", "quote for"),
    ),
    Topic(
        "hardware", "a computer or other hardware",
        ("hardware", "workstation", "laptop", "device", "desktop", "peripheral"),
        ("laptop", "notebook", "computer", "rechner", "pc ", "ordenador", "ordinateur", "computador", "portátil",
         "monitor ",
         "screen", "bildschirm", "pantalla", "écran", "ecrã", "tela ", "keyboard", "tastatur", "mouse", "maus",
         "docking", "battery", "akku", "batería", "batterie", "overheat", "broken", "kaputt", "headset", "webcam",
         "power supply", "blue screen", "bluescreen", "will not turn on", "won't turn on", "hardware", "phone",
         "tablet"),
        ("blue screen", "won't turn on", "will not turn on", "docking", "keyboard", "battery"),
    ),
    Topic(
        "software", "software",
        ("software", "application", "program", "desktop", "workstation"),
        ("software", "application", "anwendung", "aplicación", "aplicativo", "logiciel", "app ", "program",
         "programm",
         "install", "update", "aktualisier", "actualiza", "mise à jour", "atualiza", "crash", "stürzt", "freez",
         "error message", "fehlermeldung", "mensaje de error", "message d'erreur", "mensagem de erro", "bug",
         "version",
         "compatib", "plugin", "excel", "word ", "sap", "erp", "crm", "saas", "integration", "api", "database"),
        ("crash", "stürzt ab", "error message", "fehlermeldung", "reinstall", "installation"),
    ),
)  # fmt: skip

BY_NAME = {topic.name: topic for topic in TOPICS}

_MOST_TEXT = 20_000

_SURE = 5.0
"""A telling phrase in the subject weighs 6; two plain words in it, or one there and two in the text, get here too."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest topic with the words that speak for it; no topic when nothing does."""

    topic: Topic | None
    words: tuple[str, ...] = ()
    weight: float = 0.0
    runner_up: Topic | None = None
    is_close: bool = False

    @property
    def label(self) -> str:
        return self.topic.label if self.topic else "not clear from its words"

    @property
    def is_sure(self) -> bool:
        return self.topic is not None and self.weight >= _SURE and not self.is_close


def guess_topic(subject: str, body: str) -> Guess:
    """The topic of a ticket. A word in the subject counts three times, a telling phrase twice."""
    subject, body = subject[:500].lower(), body[:_MOST_TEXT].lower()
    scored: list[tuple[float, int, Topic, tuple[str, ...]]] = []
    for order, topic in enumerate(TOPICS):
        found: dict[str, float] = {}
        for text, weight in ((subject, 3.0), (body, 1.0)):
            for word in set(_pattern(topic.name).findall(text)):
                found[word] = found.get(word, 0.0) + weight * (2.0 if word in topic.strong else 1.0)
        if found:
            scored.append((sum(found.values()), -order, topic, tuple(sorted(found, key=lambda word: -found[word]))))
    if not scored:
        return Guess(None)
    scored.sort(key=lambda entry: entry[:2], reverse=True)
    best = scored[0]
    second = scored[1] if len(scored) > 1 else None
    return Guess(
        topic=best[2],
        words=tuple(word.strip() for word in best[3][:5]),
        weight=best[0],
        runner_up=second[2] if second else None,
        is_close=second is not None and second[0] > 0.75 * best[0],
    )


@cache
def _pattern(name: str) -> re.Pattern[str]:
    topic = BY_NAME[name]
    stems = sorted({*topic.stems, *topic.strong}, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, stems)) + ")")


_WORD = re.compile(r"[^\W_]{3,}")
_EMPTY_WORDS = frozenset(
    word
    for line in (
        "the and for with from that this have has are was not can you our your please hello dear team support regards",
        "thank thanks best kind need help issue problem regarding request about customer",
        "bitte hallo danke nicht und der die das mit von für ich wir ist eine einen",
        "por favor para con los las una que del gracias hola estimado",
        "pour les des une est nous avec dans sur merci bonjour",
        "não uma com que por dos das obrigado olá prezado",
    )
    for word in line.split()
)


def telling_words(text: str, most: int = 12) -> tuple[str, ...]:
    """The words of a text that say something, in order, each once."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text[:_MOST_TEXT].lower()):
        if word not in _EMPTY_WORDS:
            found.setdefault(word)
        if len(found) == most:
            break
    return tuple(found)


def likeness(left: Iterable[str], right: Iterable[str]) -> float:
    """How much two sets of words share, from 0 to 1."""
    one, other = set(left), set(right)
    return len(one & other) / max(1, min(len(one), len(other)))
