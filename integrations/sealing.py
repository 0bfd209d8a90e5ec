"""Credentials at rest: envelope encryption, each value bound to the one place it was sealed for (TRUST, Secrets).

A fresh 256-bit data key encrypts the value by AES-256-GCM; the data key is wrapped by a key-encryption key (KEK) of
`settings.CREDENTIAL_KEYS`, whose id stands in front. Both layers are bound to the place, so a sealed value copied into
another row, column or organization does not open. Several KEKs may be valid at once; the first one seals.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_VERSION = "1"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class Unsealable(Exception):
    """A sealed value that does not open: another place, an unknown key, or changed bytes. Never says which bytes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lives. `field` also names whatever else must not change under it, such as a host."""

    organization_id: uuid.UUID
    table: str
    pk: uuid.UUID
    field: str

    def bound(self, kek_id: str) -> bytes:
        """The associated data of both layers."""
        parts = (str(self.organization_id), self.table, str(self.pk), self.field, _VERSION, kek_id)
        return "|".join(parts).encode()


def seal(plain: bytes, *, place: Place) -> str:
    """`plain`, sealed under the current KEK for `place`."""
    return _wrap(AESGCM.generate_key(_KEY_BYTES * 8), plain, place)


def unseal(sealed: str, *, place: Place) -> bytes:
    """What was sealed for `place`. Raises Unsealable."""
    kek_id, wrapped, nonce_and_text = _parts(sealed)
    bound = place.bound(kek_id)
    return _opened(_opened(_kek(kek_id), wrapped, bound), nonce_and_text, bound)


def is_current(sealed: str) -> bool:
    """Whether the value stands under the KEK that seals today. Raises Unsealable for malformed text."""
    return _parts(sealed)[0] == _current_id()


def reseal(sealed: str, *, place: Place) -> str:
    """The same value under the current KEK: the step of a key rotation. Raises Unsealable."""
    return seal(unseal(sealed, place=place), place=place)


def _wrap(data_key: bytes, plain: bytes, place: Place) -> str:
    kek_id = _current_id()
    bound = place.bound(kek_id)
    pieces = (_closed(_kek(kek_id), data_key, bound), _closed(data_key, plain, bound))
    return "$".join((_VERSION, kek_id, *(base64.b64encode(piece).decode() for piece in pieces)))


def _parts(sealed: str) -> tuple[str, bytes, bytes]:
    try:
        version, kek_id, wrapped, text = sealed.split("$")
        if version != _VERSION:
            raise ValueError(version)
        return kek_id, base64.b64decode(wrapped, validate=True), base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Unsealable("The sealed value is malformed.") from None


def _closed(key: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _opened(key: bytes, closed: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(closed[:_NONCE_BYTES], closed[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise Unsealable("The sealed value belongs to another place or key, or was changed.") from None


def _current_id() -> str:
    return next(iter(settings.CREDENTIAL_KEYS))


def _kek(kek_id: str) -> bytes:
    try:
        key: bytes = settings.CREDENTIAL_KEYS[kek_id]
    except KeyError:
        raise Unsealable("The key this value was sealed with is not among JUNTO_CREDENTIAL_KEYS.") from None
    return key
