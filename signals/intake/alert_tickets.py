"""Tickets of the boards on which a monitoring opens them: their alert type and device, which the PSA does not tell."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from integrations.models import Connection, Device
from integrations.sources import is_ticket_source
from signals.intake.alert_words import condition_in, named_in
from signals.models import Board, Signal

Columns = dict[str, object]


class _Named(NamedTuple):
    id: uuid.UUID
    connection_id: uuid.UUID | None
    name: str


@dataclass(frozen=True)
class AlertTickets:
    """The boards of one connection whose tickets are alerts, and the devices of some companies."""

    connection_id: uuid.UUID | None = None
    boards: frozenset[uuid.UUID] = frozenset()
    devices: Mapping[uuid.UUID, Sequence[_Named]] = field(default_factory=dict)

    @classmethod
    def read(
        cls, connection: Connection, board_ids: Collection[uuid.UUID | None], company_ids: Collection[uuid.UUID | None]
    ) -> AlertTickets:
        """What these boards and companies need: one query, a second where one of the boards holds alerts."""
        asked = {each for each in board_ids if each is not None}
        if not asked or not is_ticket_source(connection):
            return cls()
        rows = Board.objects.for_organization(connection.organization).filter(pk__in=asked, holds_alerts=True)
        boards = frozenset(rows.order_by().values_list("pk", flat=True))
        devices: dict[uuid.UUID, list[_Named]] = defaultdict(list)
        if boards:
            found = Device.objects.for_organization(connection.organization).filter(
                company__in={each for each in company_ids if each is not None}, gone_at=None
            )
            for company_id, *named in found.values_list("company_id", "pk", "connection_id", "name"):
                devices[company_id].append(_Named(*named))
        return cls(connection.pk, boards, devices)

    def columns(
        self,
        *,
        subject: str,
        company_id: uuid.UUID | None,
        board_id: object,
        device_id: uuid.UUID | None,
        known: Signal | None,
    ) -> Columns:
        """The alert type and device of a ticket, as its columns; nothing where it is no alert or tells no more.

        `device_id` = its configuration. What is `known` of it stays, as people rename tickets; only an alert type that
        was read before any device was known is read anew.
        """
        if board_id not in self.boards or company_id is None:
            return {}
        here = self.devices.get(company_id, ())
        columns: Columns = {}
        was = known.alert_type if known else ""
        if not was or (known and was == condition_in(known.subject, ())):
            columns["alert_type"] = condition_in(subject, (one.name for one in here))
        before = known.device_id if known and known.company_id == company_id else None
        if device_id is None and (found := self._named(subject, here) or before) is not None:
            columns["device_id"] = found
        return columns

    def _named(self, subject: str, here: Sequence[_Named]) -> uuid.UUID | None:
        """The one device of the company that the summary names; the PSA's own record of it before another's."""
        names = named_in(subject, {one.name for one in here})
        if len(names) != 1:
            return None
        rows = [one for one in here if one.name.casefold() in names]
        ours = [one for one in rows if one.connection_id == self.connection_id] or rows
        return ours[0].id if len(ours) == 1 else None


def read_alert(signal: Signal) -> list[str]:
    """Give a stored ticket, not yet saved, the alert type and device that it tells; returns the columns that did."""
    if signal.connection is None:
        return []
    told = AlertTickets.read(signal.connection, [signal.board_id], [signal.company_id]).columns(
        subject=signal.subject,
        company_id=signal.company_id,
        board_id=signal.board_id,
        device_id=signal.device_id,
        known=signal,
    )
    for name, value in told.items():
        setattr(signal, name, value)
    return sorted(told)
