"""The address guard: where a request may connect to (TRUST, SSRF guard).

At every connect the name is resolved once, all its addresses are checked, and the connection goes to a checked address;
nothing resolves the name a second time. The name stays the host of TLS and of the Host header. What cannot be resolved
or understood is refused.
"""

from __future__ import annotations

import contextlib
import heapq
import ipaddress
import itertools
import os
import re
import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from integrations.errors import AddressRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_SECONDS = 5.0
"""For resolving nothing longer than the system's resolver takes, then for each checked address in turn, together."""

STDIO = "stdio:"
"""Begins what stands in an address's place where an MCP server is a command on this machine."""

_HTTPS_PORT = 443
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_BRACKETS = re.compile(r"\[[0-9a-fA-F:.]+\](?::[0-9]*)?", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.ASCII)

#: Refused whatever the operator lists: this machine, its links, groups, and addresses that carry cloud metadata.
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # metadata of Azure
        "192.0.0.0/24",  # protocol assignments, metadata of Oracle Cloud among them
        "::/128",
        "::1/128",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "fd00:ec2::/32",  # metadata of AWS
        "fd20:ce::/32",  # metadata of Google Cloud
        "64:ff9b:1::/48",  # NAT64 for local use
        "2001::/32",  # Teredo
        "5f00::/16",
    )
)
#: Of these, what an operator lists as a local target may be reached.
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
#: Reached only inside the networks that the operator lists.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
_V4_COMPATIBLE = ipaddress.ip_network("::/96")
#: The one block of IPv6 from which public addresses are given out (RFC 4291 and IANA's registry).
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
#: Middle of the interface identifier of ISATAP (RFC 5214): what follows is an IPv4 address.
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class Target:
    """Scheme, host (lower case, without brackets) and port of a URL whose form is allowed."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """As in `https://psa.example.com:443`: what credentials are bound to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Watch:
    """Ends an exchange when its time is over, even where bytes keep trickling in.

    After the exchange its socket may serve another one: from `__exit__` on it is not touched any more.
    """

    def __init__(self, seconds: float) -> None:
        self.rang = False
        self.over_at = time.monotonic() + max(seconds, 0.0)
        self.ended = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Watch:
        _keeper.take(self)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.ended, self._socket = True, None

    def over(self, opened: socket.socket | None) -> None:
        """Watch this socket from now on."""
        with self._lock:
            self._socket = opened
            if self.rang:
                self._cut()

    def strike(self) -> None:
        """The time is over."""
        with self._lock:
            if not self.ended:
                self.rang = True
                self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # below TLS: its own shutdown takes the session away from under the thread that reads
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Keeper:
    """Strikes each watch at its time, on one thread: to start one a request took a millisecond of each.

    The thread starts with the first watch of a process. A forked process begins with none: the watches that it
    inherits are its parent's, as are the connections behind their sockets.
    """

    def __init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Know of no watch and have no thread."""
        self._changed = threading.Condition()
        self._watches: list[tuple[float, int, Watch]] = []
        self._number = itertools.count()
        self._thread: threading.Thread | None = None

    def take(self, watch: Watch) -> None:
        """Keep a watch until its time is over."""
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="junto-watches", daemon=True)
                self._thread.start()
            heapq.heappush(self._watches, (watch.over_at, next(self._number), watch))
            if self._watches[0][2] is watch:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self._next().strike()

    def _next(self) -> Watch:
        """Wait until the time of a watch is over; that watch."""
        with self._changed:
            while True:
                while self._watches and self._watches[0][2].ended:
                    heapq.heappop(self._watches)
                left = self._watches[0][0] - time.monotonic() if self._watches else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._watches)[2]
                self._changed.wait(left)


_keeper = _Keeper()
os.register_at_fork(after_in_child=_keeper.start_over)


def target_of(url: str) -> Target:
    """Scheme, host and port of `url`, when its form is allowed: https on port 443, or exactly a local target.

    Raises:
        AddressRefused: with the reason. The URL itself is not repeated: it may hold a password.
    """
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        raise AddressRefused("The address holds characters that no address has.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("The address is malformed.") from None
    if "[" in parts.netloc and not _BRACKETS.fullmatch(parts.netloc):
        raise AddressRefused("The address is malformed.")
    if "@" in parts.netloc:
        raise AddressRefused("The address holds a user name or password: enter them as credentials instead.")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise AddressRefused("The address must begin with https:// and name a host.")
    host = _host(parts.hostname)
    port = port if port is not None else (_HTTPS_PORT if parts.scheme == "https" else 80)
    local = is_local_target(host, port)
    if ":" in host or host.replace(".", "").isdigit():  # an address already, see _host
        _require_reachable(host, ipaddress.ip_address(host), local=local)
    if not local:
        if parts.scheme != "https":
            raise AddressRefused("The address must begin with https://; plain http is for local targets only.")
        if port != _HTTPS_PORT:
            raise AddressRefused(f"Port {port} is not allowed: only 443, or a target in JUNTO_LOCAL_TARGETS.")
    return Target(parts.scheme, host, port)


def origin_of(url: str) -> str:
    """What credentials are bound to: scheme, host and port, or the listed command that stands in an address's place.

    Raises:
        AddressRefused: nothing may go there.
    """
    if not url.startswith(STDIO):
        return target_of(url).origin
    if url.removeprefix(STDIO) not in settings.MCP_COMMANDS:
        raise AddressRefused("Whoever runs this server has not listed this command in JUNTO_MCP_COMMANDS.")
    return url


def sibling_base(url: str, *, home: str, family: re.Pattern[str]) -> str:
    """The base URL of another server of a vendor, as the vendor's own answer named it, where it may be believed.

    `home` is the address that an admin entered, `family` what all hosts of that vendor are called. A home of the family
    leads to others of it, over https and to no path, whatever the answer says; any other home only to paths below it.

    Raises:
        AddressRefused: nothing that was given for the one server may go to the other.
    """
    here = target_of(home)
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        host = ""
    if family.fullmatch(here.host):
        if family.fullmatch(host):
            return f"https://{host}"
    elif target_of(url) == here and url.startswith(home.rstrip("/") + "/"):
        return url.rstrip("/")
    raise AddressRefused("The vendor named a server that is none of its own: nothing was sent there.")


def is_local_target(host: str, port: int) -> bool:
    """Whether the operator listed exactly this host and port (JUNTO_LOCAL_TARGETS)."""
    return (host, port) in settings.LOCAL_TARGETS


def checked_addresses(host: str, port: int, *, public_only: bool = False) -> tuple[Address, ...]:
    """All addresses of `host`, when every single one may be reached.

    `public_only`: what the operator listed (JUNTO_PRIVATE_CIDRS, JUNTO_LOCAL_TARGETS) may not.

    Raises:
        AddressRefused: one of them may not, or the name does not resolve.
    """
    host = _host(host.lower())
    local = is_local_target(host, port)
    if not local and port != _HTTPS_PORT:
        raise AddressRefused(f"Port {port} is not allowed: only 443, or a target in JUNTO_LOCAL_TARGETS.")
    addresses = _resolved(host, port)
    for address in addresses:
        _require_reachable(host, address, local=local)
        if public_only and not address.is_global:
            raise AddressRefused(f"{host} is in a private network, where nobody but the operator leads a request.")
    return addresses


def _require_reachable(host: str, address: Address, *, local: bool) -> None:
    if not _may_reach(address, local=local):
        leads = "is an address that" if host == str(address) else f"leads to {address}, which"
        raise AddressRefused(
            f"{host} {leads} is not allowed: it is local, private or reserved. "
            "An operator may list it in JUNTO_PRIVATE_CIDRS or JUNTO_LOCAL_TARGETS."
        )


def connect(host: str, port: int, *, seconds: float = CONNECT_SECONDS) -> socket.socket:
    """A TCP connection to one of the checked addresses of `host`, tried in order within `seconds` altogether.

    Raises:
        AddressRefused: see `checked_addresses`.
        OSError: none of the addresses took the connection.
    """
    deadline = time.monotonic() + seconds
    failure: OSError = TimeoutError("timed out")
    for address in checked_addresses(host, port):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        try:
            opened = socket.create_connection((str(address), port), timeout=remaining)
        except OSError as error:
            failure = error
            continue
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened
    raise failure


def _host(name: str) -> str:
    """The host in its one spelling: a strict IP literal, or a name that no resolver can take for a number."""
    if ":" in name:
        try:
            literal = ipaddress.IPv6Address(name)
        except ValueError:
            raise AddressRefused("The address is malformed.") from None
        if literal.scope_id:
            raise AddressRefused("An address with a zone is not allowed.")
        return str(literal)
    labels = name.removesuffix(".").split(".")
    if _LIKE_A_NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise AddressRefused("The address is a number in an unusual spelling.") from None
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("The host's name is malformed.")
    return name


def _resolved(host: str, port: int) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        addresses = tuple(dict.fromkeys(ipaddress.ip_address(str(entry[4][0])) for entry in found))
    except (OSError, UnicodeError, ValueError):
        raise AddressRefused(f"{host} could not be found: check the host's name.") from None
    if not addresses:
        raise AddressRefused(f"{host} could not be found: check the host's name.")
    return addresses


def _may_reach(address: Address, *, local: bool) -> bool:
    inner = _embedded(address)
    if inner is not None:
        # A translated address is as good as what it leads to, and no exception is made for it.
        return _may_reach(inner, local=False) and inner.is_global
    if local and _within(address, _LOOPBACK):
        return True
    if _within(address, _NEVER) or address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    if _within(address, _PRIVATE):
        return local or _within(address, settings.PRIVATE_CIDRS)
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address carries: mapped, compatible, NAT64, 6to4 or ISATAP."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    is_isatap = int(address) >> 32 & 0xFFFFFFFF in _ISATAP
    if is_isatap or address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 0xFFFF):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _within(address: Address, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
