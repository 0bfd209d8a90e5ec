"""The boards of a ticket's source as it says they are now. Processors ask only for those that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from integrations.contracts import StatusChoice


@dataclass(frozen=True, kw_only=True)
class BoardNow:
    """A board by the source's id, and the statuses that its tickets may have."""

    id: str
    name: str
    statuses: Sequence[StatusChoice]

    def closing(self, name: str) -> StatusChoice | None:
        """Its status of this name that closes a ticket, capitals aside; None where it has none."""
        wanted = name.strip().casefold()
        return next((each for each in self.statuses if each.closes and each.name.casefold() == wanted), None)

    def opening(self) -> StatusChoice | None:
        """The status that new tickets have, else the first that leaves one open; None where it has neither."""
        left_open = [each for each in self.statuses if not each.closes]
        return next((each for each in left_open if each.first), next(iter(left_open), None))


class Boards(Protocol):
    """Every method raises `IntegrationError` where the source cannot be asked and nothing young is remembered."""

    def names(self) -> Sequence[str]:
        """Those in use."""
        ...

    def named(self, name: str) -> BoardNow | None:
        """The one of this name, capitals aside; None where there is none (any more)."""
        ...
