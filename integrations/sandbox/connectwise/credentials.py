"""Whose request it is: Basic `companyId+publicKey:privateKey` and the product's `clientId`."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from integrations.sandbox.connectwise.problems import Problem
from integrations.sandbox.json_types import Record
from integrations.sandbox.wire import Caller, Request

_KEYS_FILE = Path(__file__).resolve().parent.parent / "world" / "credentials.json"


@dataclass(frozen=True)
class ApiKey:
    """One key pair of an MSP's API member. Invented: it opens this sandbox and nothing else."""

    name: str
    owner: str
    label: str
    company_id: str
    public_key: str
    private_key: str
    client_id: str
    member: str
    may_write: bool


def load_keys() -> tuple[ApiKey, ...]:
    """The keys of the demo world."""
    return tuple(ApiKey(**row) for row in json.loads(_KEYS_FILE.read_text(encoding="utf-8"))["connectwise"])


def connection_rows(base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry a key."""
    return [_connection(key, base_url) for key in load_keys()]


def recognise(request: Request, keys: Sequence[ApiKey]) -> Caller | None:
    """The caller that the Basic credentials name, whatever else is wrong with the request; None if nobody."""
    key = _find_key(request, keys)
    return Caller(owner=key.owner, member=key.member, may_write=key.may_write) if key else None


def authenticate(request: Request, keys: Sequence[ApiKey]) -> Caller:
    """The caller, or a Problem as the vendor words it: 401 for the credentials, 403 for a read-only key."""
    key = _find_key(request, keys)
    if key is None:
        raise Problem(401, "Unauthorized", "Invalid company, public key or private key.")
    if not hmac.compare_digest(request.headers.get("clientid", ""), key.client_id):
        raise Problem(401, "InvalidClientId", "The clientId header is missing or not registered.")
    if request.method not in ("GET", "HEAD") and not key.may_write and not request.path.endswith("/search"):
        raise Problem(403, "Security", "You do not have security permission to perform this action.")
    return Caller(owner=key.owner, member=key.member, may_write=key.may_write)


def _find_key(request: Request, keys: Sequence[ApiKey]) -> ApiKey | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None
    for key in keys:
        if hmac.compare_digest(given, f"{key.company_id}+{key.public_key}:{key.private_key}".encode()):
            return key
    return None


def _connection(key: ApiKey, base_url: str) -> Record:
    return {
        "name": key.name,
        "vendor": "connectwise",
        "owner": key.owner,
        "label": key.label,
        "base_url": f"{base_url}/connectwise",
        "api_url": f"{base_url}/connectwise/v4_6_release/apis/3.0",
        "company_id": key.company_id,
        "public_key": key.public_key,
        "private_key": key.private_key,
        "client_id": key.client_id,
        "may_write": key.may_write,
    }
