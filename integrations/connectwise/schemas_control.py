"""Records about the API itself and not about a client: stamps, callbacks, and the keys they are signed with."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr

from integrations.connectwise.schemas import Stamps
from integrations.wire import Wire


class Stamped(Wire):
    """Of a record no more than who it is and when it changed last."""

    id: int
    info: Stamps = Field(default_factory=Stamps, alias="_info")

    @property
    def updated_at(self) -> datetime | None:
        """When it changed last."""
        return self.info.last_updated


class Callback(Wire):
    """An address that the vendor sends changes to."""

    id: int
    url: str = ""


class SigningKey(Wire):
    """What callbacks are signed with."""

    signing_key: SecretStr = Field(min_length=1, max_length=1000)
