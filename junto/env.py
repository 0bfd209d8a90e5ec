"""The process environment, read once and strictly.

Every variable Junto understands stands in `KNOWN`; `docs/environment.md` is held to that table by a test. An unknown
`JUNTO_*` name, or a value that cannot be what it should be, raises `ImproperlyConfigured` with one sentence that names
the variable, what was wrong and what to do. No message ever repeats the value of a secret.
"""

import base64
import binascii
import ipaddress
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds `manage.py`."""

SECRET_MINIMUM_LENGTH = 32
CREDENTIAL_KEY_BYTES = 32  # AES-256
_COMMAND_KEY = re.compile(r"[a-z0-9-]{1,50}/[a-z0-9-]{1,40}")
_PRICE = re.compile(r"(?P<model>\S.*?)=(?P<read>\d{1,6}(?:\.\d{1,6})?)/(?P<written>\d{1,6}(?:\.\d{1,6})?)")
_HOST = re.compile(r"\*|\.?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\]")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Variable:
    """One variable of the environment: what it is for, what holds when it is absent, and (for URLs) the schemes."""

    help: str
    default: str
    schemes: tuple[str, ...] = ()


KNOWN: dict[str, Variable] = {
    "DATABASE_URL": Variable(
        "The database. Absent: one SQLite file in the data folder (embedded).",
        "`sqlite:///<data dir>/junto.sqlite3`",
        ("postgres", "postgresql", "sqlite"),
    ),
    "REDIS_URL": Variable(
        "Redis for the channel layer, the task engine and the count of API requests. Absent: both live inside the one "
        "server process.",
        "none (embedded)",
        ("redis", "rediss", "unix"),
    ),
    "JUNTO_DATA_DIR": Variable(
        "Folder of everything Junto keeps: database, secrets, sandbox state. A relative path counts from the project.",
        "`var`",
    ),
    "JUNTO_SECRET_KEY": Variable(
        "Signs sessions and forms; at least 32 characters. It never decrypts credentials.",
        "the file `secrets/JUNTO_SECRET_KEY` in the data folder",
    ),
    "JUNTO_CREDENTIAL_KEYS": Variable(
        "Keys that seal vendor credentials: `id:base64 of 32 bytes`, comma separated, the first one is current.",
        "the file `secrets/JUNTO_CREDENTIAL_KEYS` in the data folder",
    ),
    "JUNTO_AUDIT_KEY": Variable(
        "Chains the audit log (HMAC); at least 32 characters.",
        "the file `secrets/JUNTO_AUDIT_KEY` in the data folder",
    ),
    "JUNTO_ALLOWED_HOSTS": Variable(
        "Host names this server answers to, comma separated.", "`localhost,127.0.0.1,[::1]`"
    ),
    "JUNTO_PUBLIC_URL": Variable(
        "The address people and vendors reach this server at; links and webhook addresses start with it.",
        "`http://127.0.0.1:8000`",
        ("http", "https"),
    ),
    "JUNTO_DEBUG": Variable("Django's debug pages; for development only.", "`no`"),
    "JUNTO_LLM_BASE_URL": Variable(
        "An OpenAI-compatible endpoint for organizations that set none of their own. Absent: the rehearsal model.",
        "none (rehearsal)",
        ("http", "https"),
    ),
    "JUNTO_LLM_API_KEY": Variable("The key for `JUNTO_LLM_BASE_URL`.", "none"),
    "JUNTO_LLM_MODEL": Variable("The model's name at `JUNTO_LLM_BASE_URL`.", "none"),
    "JUNTO_LLM_PRICES": Variable(
        "Prices of models: `model=in/out`, US dollars for a million tokens read and written, comma separated. Set, it"
        " must name `JUNTO_LLM_MODEL`. Absent: tokens are counted and limited, money is not.",
        "none",
    ),
    "JUNTO_LOCAL_TARGETS": Variable(
        "Exact `host:port` pairs on loopback or private networks that requests may reach, comma separated.", "none"
    ),
    "JUNTO_PRIVATE_CIDRS": Variable("Private networks in which a vendor's server may stand, comma separated.", "none"),
    "JUNTO_MCP_COMMANDS": Variable(
        "Commands on this machine that are MCP servers, and for whom: `organization/name=command arguments`, separated"
        " by semicolons. An Admin of that organization may connect them, and no others.",
        "none",
    ),
    "JUNTO_SANDBOX_LOG": Variable(
        "File to which the vendor sandbox appends one JSON line for each request it served.",
        "`<data dir>/sandbox/requests.jsonl`",
    ),
    "JUNTO_CONTRACTS_DIR": Variable(
        "Folder of the vendors' API contracts, for the contract tests.", "none (tests skip)"
    ),
    "JUNTO_EVAL_DIR": Variable("Folder of evaluation data, for the evaluation tests.", "none (tests skip)"),
    "JUNTO_CRASHPOINT": Variable("Tests only: name of the point at which this process kills itself.", "none"),
    "JUNTO_TEST_REQUIRE_ALL": Variable(
        "Tests only: a missing browser, contract or data set fails instead of being skipped.", "`no`"
    ),
    "JUNTO_TEST_CHROMIUM": Variable("Tests only: path of the Chromium to drive.", "`chromium` found on the path"),
}


def refuse_unknown_names() -> None:
    """Raise when the environment holds a `JUNTO_*` name that nothing reads: most likely a typing mistake."""
    unknown = sorted(name for name in os.environ if name.startswith("JUNTO_") and name not in KNOWN)
    if unknown:
        raise ImproperlyConfigured(
            f"{unknown[0]} is no variable that Junto knows: remove or correct it (docs/environment.md lists them all)."
        )


def env_text(name: str, default: str = "") -> str:
    """The variable's text without surrounding blanks; `default` when absent or empty."""
    return _raw(name) or default


def env_bool(name: str, default: bool) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off; anything else is refused."""
    word = _raw(name).lower()
    if not word:
        return default
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} is neither yes nor no: set it to 1 or 0.")


def env_list(name: str, default: Sequence[str] = ()) -> list[str]:
    """Comma separated words, blanks around them dropped; an empty word between two commas is refused."""
    text = _raw(name)
    if not text:
        return list(default)
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise ImproperlyConfigured(f"{name} has an empty entry: separate the entries by single commas.")
    return words


def env_hosts(name: str, default: Sequence[str]) -> list[str]:
    """Host names as `ALLOWED_HOSTS` takes them: without scheme, port or path; `.example.com`, `*` and `[::1]` too."""
    hosts = env_list(name, default)
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise ImproperlyConfigured(f"{name} is malformed: write host names without http://, port and path.")
    return hosts


def env_path(name: str, default: Path | None) -> Path | None:
    """An absolute path; a relative one counts from the project's folder, whatever the working folder is."""
    text = _raw(name)
    if not text:
        return default
    if "\0" in text:
        raise ImproperlyConfigured(f"{name} is no path: remove the NUL character.")
    return (ROOT / Path(text).expanduser()).resolve()


def env_url(name: str, default: str = "") -> str:
    """An absolute URL with one of the variable's schemes. The value is never repeated: it may hold a password."""
    text = _raw(name)
    if not text:
        return default
    schemes = KNOWN[name].schemes
    try:
        parts = urlsplit(text)
        _ = parts.port  # parsed only when asked for, and raises then
    except ValueError:
        raise ImproperlyConfigured(f"{name} is no URL: check its host and port.") from None
    if parts.scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    if parts.scheme not in ("sqlite", "unix") and not parts.hostname:
        raise ImproperlyConfigured(f"{name} names no host: write it as {parts.scheme}://host:port/...")
    return text


def env_secret(name: str) -> str:
    """The secret from the environment, else from the data folder's `secrets/<name>`; absent or too short is refused."""
    value = _raw(name)
    if not value:
        value = _secret_from_file(name)
    if len(value) < SECRET_MINIMUM_LENGTH:
        raise ImproperlyConfigured(f"{name} is too short: set at least {SECRET_MINIMUM_LENGTH} characters.")
    return value


def env_keys(name: str) -> dict[str, bytes]:
    """Sealing keys by their id, the current one first; found where `env_secret` finds a secret."""
    keys: dict[str, bytes] = {}
    for entry in env_secret(name).split(","):
        key_id, colon, text = entry.strip().partition(":")
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not colon or not key_id or len(key) != CREDENTIAL_KEY_BYTES:
            raise ImproperlyConfigured(
                f"{name} is malformed: write id:base64 of {CREDENTIAL_KEY_BYTES} bytes, comma separated."
            )
        if key_id in keys:
            raise ImproperlyConfigured(f"{name} names the key id {key_id} twice: give every key its own id.")
        keys[key_id] = key
    return keys


def env_targets(name: str) -> frozenset[tuple[str, int]]:
    """Exact (host, port) pairs, the host in lower case; an IPv6 address stands in brackets. A public one is refused."""
    targets: set[tuple[str, int]] = set()
    for entry in env_list(name):
        try:
            parts = urlsplit(f"//{entry}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not port or entry != parts.netloc or "@" in entry:
            raise ImproperlyConfigured(f"{name} is malformed: write host:port pairs, comma separated.")
        if _is_public_address(host):
            raise ImproperlyConfigured(f"{name} names a public address: it is for loopback and private networks.")
        targets.add((host, port))
    return frozenset(targets)


def env_commands(name: str) -> dict[str, tuple[str, ...]]:
    """Commands with their arguments, by `organization/name`; the command itself by its whole path."""
    commands: dict[str, tuple[str, ...]] = {}
    for entry in filter(None, map(str.strip, env_text(name).split(";"))):
        key, _, line = entry.partition("=")
        try:
            words = tuple(shlex.split(line))
        except ValueError:
            words = ()
        if not _COMMAND_KEY.fullmatch(key.strip()) or not words or not words[0].startswith("/"):
            raise ImproperlyConfigured(
                f"{name} is malformed: write organization/name=/path/of/command arguments, separated by semicolons."
            )
        commands[key.strip()] = words
    return commands


def env_prices(name: str, *, model: str) -> dict[str, tuple[Decimal, Decimal]]:
    """US dollars for a million tokens read and a million written, by model; empty when absent.

    A table without a price for `model`, the one in use, is refused: its cost would be unknown, not nothing.
    """
    prices: dict[str, tuple[Decimal, Decimal]] = {}
    for entry in env_list(name):
        found = _PRICE.fullmatch(entry)
        if not found:
            raise ImproperlyConfigured(f"{name} is malformed: write model=in/out such as big-1=2.50/10.")
        prices[found["model"]] = (Decimal(found["read"]), Decimal(found["written"]))
    if prices and model and model not in prices:
        raise ImproperlyConfigured(f"{name} has no price for {model}, the model in use: add it, or set no prices.")
    return prices


def env_networks(name: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Private networks in CIDR notation; one with public addresses in it is refused."""
    try:
        networks = tuple(ipaddress.ip_network(entry) for entry in env_list(name))
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is malformed: write networks such as 10.1.0.0/16, comma separated."
        ) from None
    if any(network.is_global for network in networks):
        raise ImproperlyConfigured(f"{name} names a network with public addresses: it is for private ones.")
    return networks


def refuse_half_a_model() -> None:
    """Raise when a model is named, or a key set, for no address: the rehearsal would serve without a word."""
    for name in ("JUNTO_LLM_MODEL", "JUNTO_LLM_API_KEY"):
        if _raw(name) and not _raw("JUNTO_LLM_BASE_URL"):
            raise ImproperlyConfigured(f"{name} is set without JUNTO_LLM_BASE_URL: set the address too, or remove it.")


def data_dir() -> Path:
    """Folder of everything that must survive a restart."""
    return env_path("JUNTO_DATA_DIR", None) or ROOT / "var"


def secret_file(name: str) -> Path:
    """Where `bin/junto up` keeps a generated secret (mode 600)."""
    return data_dir() / "secrets" / name


def _secret_from_file(name: str) -> str:
    path = secret_file(name)
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ImproperlyConfigured(
            f"{name} is not set and {path} does not exist: set it, or run bin/junto up, which makes it."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name} could not be read from {path}: {error.__class__.__name__}.") from None


def _is_public_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False  # a name: what it stands for is checked at each request


def _raw(name: str) -> str:
    if name not in KNOWN:
        raise LookupError(f"{name} is missing in junto.env.KNOWN")
    return os.environ.get(name, "").strip()
