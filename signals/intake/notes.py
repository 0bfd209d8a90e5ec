"""Notes, time and attachments of signals, kept as the source has them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from signals.intake.columns import CleanAttachment, CleanNote, CleanTime
from signals.models import Signal, SignalAttachment, SignalNote, SignalTime

Row = TypeVar("Row", SignalNote, SignalTime, SignalAttachment)
Part = CleanNote | CleanTime | CleanAttachment


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


def texts_of_new(
    carried: Sequence[tuple[Signal, Sequence[CleanNote]]], new: Mapping[uuid.UUID, Collection[str]]
) -> dict[str, dict[str, str]]:
    """The texts of the new notes: how approvals names the signal -> id -> text; signals without any are left out."""
    return {
        signal.origin_subject: {note.external_id: note.text for note in notes if note.external_id in new[signal.pk]}
        for signal, notes in carried
        if new.get(signal.pk)
    }


def _columns(part: Part) -> dict[str, Any]:
    return {each.name: getattr(part, each.name) for each in fields(part)}
