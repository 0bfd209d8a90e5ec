"""TLS for the sandbox: a small authority made in the state folder, and a certificate for this machine's loopback.

Whoever trusts `tls/authority.pem` trusts this sandbox only: the authority may sign for 127.0.0.1, ::1 and localhost.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_FILE = "authority.pem"
_VALID = timedelta(days=365)
_RENEW_BEFORE = timedelta(days=30)
_HOSTS = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


@dataclass(frozen=True)
class _Signed:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def server_context(folder: Path) -> ssl.SSLContext:
    """A server's TLS context; authority and certificate are made on first use and anew before they expire."""
    if _is_stale(folder):
        _make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def _is_stale(folder: Path) -> bool:
    files = [folder / name for name in (AUTHORITY_FILE, "server.pem", "server.key")]
    if not all(file.exists() for file in files):
        return True
    certificate = x509.load_pem_x509_certificate(files[1].read_bytes())
    return certificate.not_valid_after_utc - _RENEW_BEFORE < datetime.now(tz=UTC)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _authority()
    server = _server(authority)
    _write(folder / "server.key", _private(server.key))
    _write(folder / "server.pem", server.certificate.public_bytes(serialization.Encoding.PEM))
    # The authority's own key is not kept: nothing else can ever be signed with it.
    _write(folder / AUTHORITY_FILE, authority.certificate.public_bytes(serialization.Encoding.PEM))


def _authority() -> _Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vendor sandbox authority")])
    networks = [ipaddress.ip_network(host) for host in _HOSTS]
    permitted = [x509.DNSName("localhost"), *(x509.IPAddress(network) for network in networks)]
    builder = (
        _builder(subject=name, issuer=name, key=key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _Signed(builder.sign(key, hashes.SHA256()), key)


def _server(authority: _Signed) -> _Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vendor sandbox")])
    names = [x509.DNSName("localhost"), *(x509.IPAddress(host) for host in _HOSTS)]
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(subject=name, issuer=authority.certificate.subject, key=key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(identifier, critical=False)
    )
    return _Signed(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(*, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(tz=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Readable by this user only from the first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
