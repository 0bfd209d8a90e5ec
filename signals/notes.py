"""Notes, time and attachments of signals, kept as the source has them; and which notes we wrote ourselves."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from integrations.models import Connection, ExternalRef
from signals.intake import CleanAttachment, CleanNote, CleanTime
from signals.models import Signal, SignalAttachment, SignalNote, SignalTime

Row = TypeVar("Row", SignalNote, SignalTime, SignalAttachment)
Part = CleanNote | CleanTime | CleanAttachment

#: `ExternalRef.kind` of notes.
NOTE_KIND = "note"


def write_parts(model: type[Row], carried: Sequence[tuple[Signal, Sequence[Part]]]) -> dict[uuid.UUID, set[str]]:
    """Make each signal's rows of `model` exactly those it came with; the source's ids of the new ones, by signal.

    Call it in the transaction that wrote the signals, only for those whose newer revision was just written. All
    signals must be of one organization.
    """
    if not carried:
        return {}
    signals = [signal for signal, _ in carried]
    stored = model.objects.for_organization(signals[0].organization).filter(signal__in=signals)
    before: dict[uuid.UUID, dict[str, uuid.UUID]] = defaultdict(dict)
    for signal_id, external_id, row_id in stored.values_list("signal_id", "external_id", "id"):
        before[signal_id][external_id] = row_id
    new = {signal.pk: {part.external_id for part in parts} - before[signal.pk].keys() for signal, parts in carried}
    dropped = [
        row_id
        for signal, parts in carried
        for external_id, row_id in before[signal.pk].items()
        if external_id not in {part.external_id for part in parts}
    ]
    if dropped:
        stored.filter(pk__in=dropped).delete()
    rows = [
        model(organization_id=signal.organization_id, signal=signal, **_columns(part))
        for signal, parts in carried
        for part in parts
    ]
    if rows:
        some = next(part for _, parts in carried for part in parts)
        columns = [name for name in _columns(some) if name != "external_id"]
        model.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["signal", "external_id"], update_fields=columns
        )
    return new


def our_own(connection: Connection, note_ids: Collection[str]) -> set[str]:
    """Those of the source's note ids that an action of ours wrote."""
    if not note_ids:
        return set()
    references = ExternalRef.objects.for_organization(connection.organization).filter(
        connection=connection, kind=NOTE_KIND, external_id__in=note_ids
    )
    return set(references.values_list("external_id", flat=True))


def _columns(part: Part) -> dict[str, Any]:
    return {each.name: getattr(part, each.name) for each in fields(part)}
