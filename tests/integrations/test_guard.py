"""The address guard: every spelling of a forbidden place is refused, and nothing is resolved twice."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from integrations.errors import AddressRefused
from integrations.guard import checked_addresses, connect, target_of

FORBIDDEN_HOSTS = [
    # this machine
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.255", "2130706433", "017700000001", "0177.0.0.1",
    "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0X7F000001", "localhost", "LOCALHOST", "localhost.", "0.0.0.0", "0", "00",
    "0x0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[64:ff9b:1::7f00:1]",
    # links and metadata
    "169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376",
    "169.254.43518", "[fe80::1]", "[fe80::1%25eth0]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200",
    "168.63.129.16", "192.0.0.192", "[fec0::1]",
    # private networks
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.1",
    "167772161", "0xa000001", "012.0.0.1", "[fc00::1]", "[fd12:3456::1]", "[::ffff:10.0.0.1]", "[::ffff:192.168.0.1]",
    "[64:ff9b::a00:1]", "[2002:a00:1::]",
    # IPv4-translated, ISATAP, and blocks from which nobody is given a public address
    "[::ffff:0:7f00:1]", "[::ffff:0:169.254.169.254]", "[2001:470:1::5efe:7f00:1]", "[2001:470:1:0:200:5efe:a00:1]",
    "[::2]", "[1::1]", "[4000::1]", "[e000::1]",
    # groups, reserved, documentation
    "224.0.0.1", "239.255.255.255", "[ff02::1]", "[ff0e::1]", "240.0.0.1", "255.255.255.255", "192.0.2.1",
    "198.51.100.1", "203.0.113.1", "198.18.0.1", "[2001:db8::1]", "[2001::1]", "[100::1]", "[5f00::1]",
]  # fmt: skip

FORBIDDEN_URLS = [
    "http://api-na.myconnectwise.net/",
    "https://user:secret@api-na.myconnectwise.net/",
    "https://api-na.myconnectwise.net@127.0.0.1/",
    "https://127.0.0.1:443@api-na.myconnectwise.net/",
    "https://api-na.myconnectwise.net:8443/",
    "https://api-na.myconnectwise.net:22/",
    "https://api-na.myconnectwise.net:5432/",
    "https://api-na.myconnectwise.net:99999/",
    "https://api-na.myconnectwise.net\\@127.0.0.1/",
    "https://api-na.myconnectwise.net\t/",
    "https://api-na.myconnectwise.net\n/",
    "https://ａpi.example.com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://bad_.-host.example/",
    "https://a..b.example/",
    "https://%31%32%37.0.0.1/",
    "https:///path",
    "https://",
    "https://[::1",
    "ftp://files.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "//api-na.myconnectwise.net/",
    "api-na.myconnectwise.net",
    "",
]


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_a_forbidden_host_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(AddressRefused):
        checked_addresses(target_of(f"https://{host}/").host, 443)


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
def test_a_url_of_a_forbidden_form_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        target_of(url)


def test_there_are_at_least_sixty_spellings() -> None:
    assert len(set(FORBIDDEN_HOSTS)) >= 60


def test_public_addresses_may_be_reached() -> None:
    for host in ("8.8.8.8", "[2606:4700:4700::1111]"):
        assert checked_addresses(target_of(f"https://{host}/").host, 443)


def test_a_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(AddressRefused) as refused:
        target_of("https://admin:hunter2@api-na.myconnectwise.net/")

    assert "hunter2" not in str(refused.value)


def test_a_private_server_is_reached_only_inside_the_networks_the_operator_lists(settings: Settings) -> None:
    settings.PRIVATE_CIDRS = (ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd12::/16"))

    assert checked_addresses("10.20.3.4", 443)
    assert checked_addresses("fd12::5", 443)
    with pytest.raises(AddressRefused):
        checked_addresses("10.21.0.1", 443)


def test_no_network_the_operator_lists_opens_loopback_or_metadata(settings: Settings) -> None:
    settings.PRIVATE_CIDRS = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))

    for host in ("127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fd00:ec2::254"):
        with pytest.raises(AddressRefused):
            checked_addresses(host, 443)


def test_a_local_target_is_exactly_one_host_and_port(settings: Settings) -> None:
    settings.LOCAL_TARGETS = frozenset({("127.0.0.1", 9101)})

    assert target_of("http://127.0.0.1:9101/api").port == 9101
    assert checked_addresses("127.0.0.1", 9101)
    for url in ("http://127.0.0.1:9102/", "http://localhost:9101/", "http://127.0.0.2:9101/", "https://127.0.0.1/"):
        with pytest.raises(AddressRefused):
            checked_addresses(target_of(url).host, target_of(url).port)


def test_not_even_a_local_target_reaches_metadata(settings: Settings) -> None:
    settings.LOCAL_TARGETS = frozenset({("169.254.169.254", 80), ("fd00:ec2::254", 80)})

    for host in ("169.254.169.254", "fd00:ec2::254"):
        with pytest.raises(AddressRefused):
            checked_addresses(host, 80)


class Resolver:
    """Answers name look-ups from a list, one entry each time, in place of the system's resolver."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(family[ipaddress.ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port)) for one in answer]


def test_one_bad_address_among_good_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(["8.8.8.8", "127.0.0.1"]))

    with pytest.raises(AddressRefused):
        checked_addresses("psa.example.com", 443)


def test_a_name_that_does_not_resolve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(socket.gaierror("no such name"), []))

    for _ in range(2):
        with pytest.raises(AddressRefused, match="could not be found"):
            checked_addresses("psa.example.com", 443)


def test_a_name_rebound_between_check_and_connect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(["8.8.8.8"], ["127.0.0.1"])
    connected: list[tuple[str, int]] = []

    def record(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        return socket.socket()

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(socket, "create_connection", record)
    connect("psa.example.com", 443).close()
    with pytest.raises(AddressRefused):
        connect("psa.example.com", 443)

    assert connected == [("8.8.8.8", 443)]
    assert resolver.asked == 2


@given(st.ip_addresses(v=4))
def test_an_ipv6_form_of_an_ipv4_address_is_no_way_around_its_refusal(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    forms = [
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ]
    if _allowed(str(address)):
        return
    for form in forms:
        assert not _allowed(str(form)), form


def _allowed(host: str) -> bool:
    try:
        return bool(checked_addresses(host, 443))
    except AddressRefused:
        return False
