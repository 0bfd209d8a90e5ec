"""What people set at the ticket's source: it stands as a person's value, and no processor overwrites it.

The source does not tell who changed a field. Whatever was not set by a processor's own action counts as a person's:
of whoever let an action of ours do it, else of somebody whom we do not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from approvals.drift import SENT
from approvals.models import Action, Decision, Origin
from approvals.previews import StoredPreview
from signals.intake.echoes import COMES_BACK
from signals.models import ProcessorResult, ProcessorSetting, Signal
from signals.processing.results import Word, keep_correction, retract
from signals.processors import PROCESSORS
from signals.processors.base import AnyProcessor, Producer
from signals.write_back.wishes import PUT_BACK

#: Fields of a ticket that processors carry back.
WATCHED: Final = frozenset(name for processor in PROCESSORS for name in processor.fields)
#: A value of ours that the source told of no sooner is taken for a person's: it may not have been read for days.
LATEST: Final = timedelta(days=7)
#: How far the database's clock, which says when an action ended, may be off that of the process that reads.
DATABASE_CLOCK: Final = timedelta(seconds=5)


def set_by_others(signal: Signal, told: Mapping[str, object], *, read_at: datetime | None) -> dict[str, str]:
    """Those watched fields among `told` that somebody else than a processor's action, or a Revert's, gave their values.

    `signal` is as it was before, `read_at` when the source was asked (None = not known). Each processor's fields are
    judged by themselves: an action of ours and a person may both have changed the ticket since it was last read. A part
    below one that was set (the subtype of a former type) falls away with it, and all of them with the board.
    """
    has = {name: str(told[name]) for name in WATCHED & told.keys()}
    changed = {name: value for name, value in has.items() if getattr(signal, name) != value}
    if not changed and read_at is None:
        return {}
    rows = Action.objects.for_organization(signal.organization).filter(
        Q(origin__kind=Origin.Kind.PROCESSOR) | Q(origin__kind=Origin.Kind.BY_HAND, origin__key__startswith=PUT_BACK),
        origin__subject=signal.origin_subject,
        state__in=SENT,
        claimed_at__gte=timezone.now() - LATEST,
    )
    sent = [_Sent.of(*row) for row in rows.order_by("claimed_at").values_list("claimed_at", "finished_at", "preview")]
    found: dict[str, str] = {}
    for processor in PROCESSORS if changed or sent else ():
        last = _last_told(signal, processor)
        ours = [one for one in sent if last is None or one.claimed_at > last]
        own = {name: value for name, value in changed.items() if name in processor.fields}
        if own and not _is_ours(own, ours, before={name: getattr(signal, name) for name in own}):
            found |= own
        elif not own and read_at is not None:
            found |= _undone({name: has[name] for name in has.keys() & set(processor.fields)}, ours, read_at=read_at)
    return found


@dataclass(frozen=True)
class _Sent:
    """An action that was sent: when, when it had succeeded or was given up, and the values it set."""

    claimed_at: datetime
    finished_at: datetime | None
    sets: Mapping[str, object]

    @classmethod
    def of(cls, claimed_at: datetime, finished_at: datetime | None, preview: object) -> _Sent:
        return cls(claimed_at, finished_at, StoredPreview.model_validate(preview or {}).sets)


def _undone(has: Mapping[str, str], sent: Sequence[_Sent], *, read_at: datetime) -> dict[str, str]:
    """The values that somebody set back to what they were before our last write, which no reading had told of yet."""
    newest = next((one for one in reversed(sent) if one.sets.keys() & has.keys()), None)
    if newest is None or newest.finished_at is None or newest.finished_at > read_at - DATABASE_CLOCK:
        return {}
    left = {name: value for name, value in has.items() if name in newest.sets}
    return {} if _explains(newest.sets, left) else left


def _is_ours(changed: Mapping[str, str], sent: Sequence[_Sent], *, before: Mapping[str, str]) -> bool:
    """Whether one of `sent`, oldest first, set these values and has not come back yet.

    The newest that set what the ticket had `before` has, and so has each one ahead of it. No clock of the source's is
    asked: it may go wrong.
    """
    ours = False
    for one in sent:
        if _explains(one.sets, before):
            ours = False
        elif _explains(one.sets, changed):
            ours = True
    return ours


def _last_told(signal: Signal, processor: AnyProcessor) -> datetime | None:
    """When the source last told of a person's value: an action from before is not why there is another one now."""
    told = ProcessorResult.objects.for_organization(signal.organization).filter(
        signal=signal, processor=processor.slug, set_at_source=True
    )
    last: datetime | None = told.order_by("-created_at").values_list("created_at", flat=True).first()
    return last


def keep_what_people_set(changes: Sequence[tuple[Signal, Mapping[str, str]]]) -> None:
    """Keep the values of fields that changed otherwise than by us, where their processor is in use.

    Call it in the transaction that wrote the signals, which are all of one organization; with what changed, by field.
    """
    if not changes:
        return
    used = ProcessorSetting.objects.for_organization(changes[0][0].organization).filter(enabled=True)
    slugs = set(used.values_list("processor", flat=True))
    for processor in PROCESSORS:
        if processor.fields and processor.slug in slugs:
            for signal, changed in changes:
                own = {name: value for name, value in changed.items() if name in processor.fields}
                if own:
                    _keep(signal, processor, own)


def _keep(signal: Signal, processor: AnyProcessor, changed: Mapping[str, str]) -> None:
    label = processor.label_of_types(signal.type, signal.subtype, signal.item, signal.priority)
    rows = ProcessorResult.objects.for_organization(signal.organization).current()
    standing = rows.filter(signal=signal, processor=processor.slug).first()
    if not label:
        if standing is not None:
            retract(standing)
        return
    value = processor.value_of_label(label)
    said = (Producer.PERSON, value.key()[:300], True)
    if standing is None or (standing.producer, standing.key, standing.set_at_source) != said:
        keep_correction(signal, processor, value, word=_who(signal, processor, changed), revision=signal.revision)


def _who(signal: Signal, processor: AnyProcessor, changed: Mapping[str, str]) -> Word:
    """Who let an action of ours set these values at the source; somebody, where none did."""
    last = _last_told(signal, processor)
    actions = Action.objects.for_organization(signal.organization).filter(
        origin__subject=signal.origin_subject, state__in=SENT, claimed_at__gte=timezone.now() - COMES_BACK
    )
    if last is not None:
        actions = actions.filter(claimed_at__gt=last)
    for action in actions.exclude(category="read").order_by("-claimed_at"):
        if action.preview and _explains(StoredPreview.model_validate(action.preview).sets, changed):
            return _of(action)
    return Word(at_source=True)


def _of(action: Action) -> Word:
    """Who approved it last; where nobody had to, the person who asked for it."""
    approved = action.decisions.filter(verdict__in=[Decision.Verdict.APPROVE, Decision.Verdict.APPROVE_SESSION])
    last = approved.select_related("membership__user").order_by("-created_at").first()
    if last is not None:
        return Word(person=last.membership, at_source=True)
    return Word(name=action.proposed_by if action.proposed_kind == "person" else "", at_source=True)


def _explains(sets: Mapping[str, object], changed: Mapping[str, str]) -> bool:
    """Whether an action that set `sets` leaves these values."""
    below = {"subtype", "item"} | ({"type"} if "board" in sets else set())
    for name, value in changed.items():
        entry = sets.get(name)
        set_to = str(entry.get("name", "")) if isinstance(entry, Mapping) else None
        if set_to is None and name in sets:
            set_to = ""
        falls_away = set_to is None and not value and name in below and bool(sets)
        if not falls_away and (set_to is None or set_to.casefold() != value.casefold()):
            return False
    return True
