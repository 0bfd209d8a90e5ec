"""Credentials at rest: bound to their row, readable under any valid key, silent about what they hold."""

from __future__ import annotations

import base64
import dataclasses
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from integrations.sealing import Place, Unsealable, is_current, reseal, seal, unseal

PLACE = Place(uuid.UUID(int=1), "integrations_connection", uuid.UUID(int=2), "sealed_credentials@https://psa:443")


@given(st.binary(max_size=500))
def test_what_is_sealed_opens_in_its_place(plain: bytes) -> None:
    assert unseal(seal(plain, place=PLACE), place=PLACE) == plain


@pytest.mark.parametrize(
    "changes",
    [
        {"organization_id": uuid.UUID(int=9)},
        {"table": "another"},
        {"pk": uuid.UUID(int=9)},
        {"field": "sealed_credentials@https://elsewhere:443"},
    ],
)
def test_a_value_copied_to_another_place_does_not_open(changes: dict[str, object]) -> None:
    sealed = seal(b"secret", place=PLACE)

    with pytest.raises(Unsealable):
        unseal(sealed, place=dataclasses.replace(PLACE, **changes))  # type: ignore[arg-type]


@given(st.integers(0, 200), st.integers(1, 255))
def test_one_changed_byte_keeps_it_shut(position: int, flip: int) -> None:
    *head, body = seal(b"secret", place=PLACE).split("$")
    changed = bytearray(base64.b64decode(body))
    changed[position % len(changed)] ^= flip

    with pytest.raises(Unsealable) as refused:
        unseal("$".join((*head, base64.b64encode(changed).decode())), place=PLACE)

    assert "secret" not in str(refused.value)


def test_two_sealings_of_the_same_value_look_different() -> None:
    assert seal(b"secret", place=PLACE) != seal(b"secret", place=PLACE)


def test_both_keys_open_while_they_are_rotated_and_the_new_one_seals(settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = {"old": b"o" * 32}
    sealed = seal(b"secret", place=PLACE)
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32, "old": b"o" * 32}

    assert unseal(sealed, place=PLACE) == b"secret"
    assert not is_current(sealed)
    resealed = reseal(sealed, place=PLACE)
    settings.CREDENTIAL_KEYS = {"new": b"n" * 32}
    assert is_current(resealed)
    assert unseal(resealed, place=PLACE) == b"secret"
    with pytest.raises(Unsealable):
        unseal(sealed, place=PLACE)


@pytest.mark.parametrize("sealed", ["", "1", "1$test$$", "2$test$AAAA$AAAA", "1$test$!!$AAAA", "secret"])
def test_malformed_text_is_no_sealed_value(sealed: str) -> None:
    with pytest.raises(Unsealable):
        unseal(sealed, place=PLACE)
