"""What is entered to connect an MCP server, and what its answers come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, JsonValue, SecretStr, model_validator


class Credentials(BaseModel):
    """How a server is told who asks: not at all, with a token that was entered, or by a person's consent (OAuth)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    auth: Literal["none", "bearer", "oauth"]
    token: SecretStr = SecretStr("")
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _are_whole(self) -> Self:
        token = self.token.get_secret_value()
        if (self.auth == "bearer") != bool(token):
            raise ValueError("A token belongs to the way of signing in that uses one, and to no other.")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("The token holds characters that no token has.")
        if self.client_secret.get_secret_value() and not self.client_id:
            raise ValueError("A client secret needs its client id.")
        return self


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as the server describes it now: its name there, its definition as JSON, and the definition's digest."""

    name: str
    definition: dict[str, JsonValue]
    pin: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a call answered: text, and JSON where the server gave some. `left_out` tells what was not carried over."""

    text: str
    structured: JsonValue
    left_out: tuple[str, ...]
