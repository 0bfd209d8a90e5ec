"""TLS at the gate: the name stays the host's, and a certificate that nobody vouches for ends it."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from integrations.connectwise import endpoints
from integrations.connectwise.schemas import ErrorBody
from integrations.errors import VendorDown
from integrations.http import VendorSession
from integrations.llm.transport import model_http_client
from integrations.warrants import Errand


class Impostor:
    """A TLS server whose certificate it signed itself; remembers the names it was asked for, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.names: list[str | None] = []
        self.said: list[bytes] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder))
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    with self._context.wrap_socket(connection, server_side=True) as secure:
                        self.said.append(secure.recv(65536))
                except OSError:
                    continue


@pytest.fixture
def impostor(tmp_path: Path, settings: Settings) -> Iterator[Impostor]:
    server = Impostor(tmp_path)
    settings.LOCAL_TARGETS = frozenset({("localhost", server.port)})
    yield server
    server.close()


def test_credentials_are_not_sent_to_a_server_that_only_vouches_for_itself(impostor: Impostor) -> None:
    session = VendorSession(
        label="ConnectWise PSA",
        base_url=f"https://localhost:{impostor.port}",
        endpoints=endpoints.ENDPOINTS,
        errand=Errand.reading(10),
        headers={"Authorization": "Basic secret"},
        secrets=("secret",),
        explain=ErrorBody.words,
        lane="impostor",
    )

    with pytest.raises(VendorDown, match="certificate could not be trusted") as failure:
        session.send("GET", "/service/tickets")

    assert not failure.value.sent
    assert impostor.names == ["localhost"]
    assert impostor.said == []


def test_a_conversation_is_not_sent_there_either(impostor: Impostor) -> None:
    base_url = f"https://localhost:{impostor.port}/v1"
    with model_http_client(base_url) as client, pytest.raises(httpx2.ConnectError):
        client.post(f"{base_url}/chat/completions", json={"messages": []})

    assert impostor.names == ["localhost"]
    assert impostor.said == []


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "impostor.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
