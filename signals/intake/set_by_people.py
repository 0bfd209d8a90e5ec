"""What people set at the ticket's source: it stands as a person's value, and no processor overwrites it.

The source does not tell who changed a field. Whatever was not set by a processor's own action counts as a person's:
of whoever let an action of ours do it, else of somebody whom we do not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def set_by_others(signal: Signal, changed: Mapping[str, str]) -> dict[str, str]:
    """Those of these changes of watched fields that are not what a processor's actions set there, or put back.

    `signal` is as it was before. Each processor's fields are judged by themselves: an action of ours and a person may
    both have changed the ticket since it was last read. A part below one that was set (the subtype of a former type)
    falls away with it, and all of them with the board.
    """
    if not changed:
        return {}
    rows = Action.objects.for_organization(signal.organization).filter(
        Q(origin__kind=Origin.Kind.PROCESSOR) | Q(origin__kind=Origin.Kind.BY_HAND, origin__key__startswith=PUT_BACK),
        origin__subject=signal.origin_subject,
        state__in=SENT,
        claimed_at__gte=timezone.now() - LATEST,
    )
    sent = [
        (claimed_at, StoredPreview.model_validate(preview).sets)
        for claimed_at, preview in rows.order_by("claimed_at").values_list("claimed_at", "preview")
        if preview
    ]
    found: dict[str, str] = {}
    for processor in PROCESSORS:
        own = {name: value for name, value in changed.items() if name in processor.fields}
        if own:
            told = _last_told(signal, processor)
            ours = [sets for claimed_at, sets in sent if told is None or claimed_at > told]
            found |= {} if _is_ours(own, ours, before={name: getattr(signal, name) for name in own}) else own
    return found


def _is_ours(changed: Mapping[str, str], sent: Sequence[Mapping[str, object]], *, before: Mapping[str, str]) -> bool:
    """Whether one of `sent`, oldest first, set these values and has not come back yet.

    The newest that set what the ticket had `before` has, and so has each one ahead of it. No clock of the source's is
    asked: it may go wrong.
    """
    ours = False
    for sets in sent:
        if _explains(sets, before):
            ours = False
        elif _explains(sets, changed):
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
