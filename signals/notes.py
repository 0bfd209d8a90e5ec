"""The notes of signals, kept as the source has them; and which of them we wrote ourselves."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence

from integrations.models import Connection, ExternalRef
from signals.intake import CleanNote
from signals.models import Signal, SignalNote

#: `ExternalRef.kind` of notes.
NOTE_KIND = "note"


def write_notes(carried: Sequence[tuple[Signal, tuple[CleanNote, ...]]]) -> dict[uuid.UUID, set[str]]:
    """Make each signal's notes exactly those it came with; the source's ids of the new ones, by signal.

    Call it in the transaction that wrote the signals, only for those whose newer revision was just written. All
    signals must be of one organization.
    """
    if not carried:
        return {}
    signals = [signal for signal, _ in carried]
    stored = SignalNote.objects.for_organization(signals[0].organization).filter(signal__in=signals)
    before: dict[uuid.UUID, dict[str, uuid.UUID]] = defaultdict(dict)
    for signal_id, external_id, note_id in stored.values_list("signal_id", "external_id", "id"):
        before[signal_id][external_id] = note_id
    new = {signal.pk: {note.external_id for note in notes} - before[signal.pk].keys() for signal, notes in carried}
    dropped = [
        note_id
        for signal, notes in carried
        for external_id, note_id in before[signal.pk].items()
        if external_id not in {note.external_id for note in notes}
    ]
    if dropped:
        stored.filter(pk__in=dropped).delete()
    SignalNote.objects.bulk_create(
        [_row(signal, note) for signal, notes in carried for note in notes],
        update_conflicts=True,
        unique_fields=["signal", "external_id"],
        update_fields=["author", "text", "internal", "written_at"],
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


def _row(signal: Signal, note: CleanNote) -> SignalNote:
    return SignalNote(
        organization_id=signal.organization_id,
        signal=signal,
        external_id=note.external_id,
        author=note.author,
        text=note.text,
        internal=note.internal,
        written_at=note.written_at,
    )
