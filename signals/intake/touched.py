"""Whether a person has touched a signal, here or at its source. What we wrote there ourselves is no person's doing."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from approvals.models import Action, Decision, Origin
from integrations.models import TICKET_KIND, TIME_KIND, ExternalRef
from junto.audit.models import AuditEntry
from signals.intake.echoes import kind_and_id, plain, sent_texts
from signals.models import ProcessorResult, Signal


def touched_by_a_person(signal: Signal) -> bool:
    """Whether somebody owns it, booked time, wrote a note, judged a finding, decided for it, or worked on it here.

    Work on what it is folded into is work on it.
    """
    if signal.assignee or _written_by_others(signal) or _worked_on_here(signal):
        return True
    return signal.folded_into is not None and touched_by_a_person(signal.folded_into)


def _written_by_others(signal: Signal) -> bool:
    """Whether its notes and times hold one that no action on it wrote. A person's own action is a deed, see below."""
    notes = dict(signal.notes.values_list("external_id", "text"))
    times = list(signal.time_entries.values_list("external_id", flat=True))
    if not notes and not times:
        return False
    written = {(TIME_KIND, each): "" for each in times} | {kind_and_id(each): text for each, text in notes.items()}
    actions = Action.objects.for_organization(signal.organization).filter(
        origin__subject=signal.origin_subject, claimed_at__isnull=False
    )
    sent = list(actions.exclude(category="read").values_list("pk", "arguments"))
    ours = ExternalRef.objects.for_organization(signal.organization).filter(
        connection=signal.connection_id, action_id__in=[pk for pk, _ in sent]
    )
    known = set(ours.values_list("kind", "external_id"))
    texts = {text for _, arguments in sent for text in sent_texts(arguments)}
    return any(each not in known and plain(text) not in texts for each, text in written.items())


def _worked_on_here(signal: Signal) -> bool:
    organization = signal.organization
    judged = ProcessorResult.objects.for_organization(organization).filter(signal=signal, person__isnull=False)
    origins = Origin.objects.for_organization(organization).filter(subject=signal.origin_subject)
    actions = Action.objects.for_organization(organization).filter(origin__in=origins)
    actions = actions.exclude(pk__in=_opened_by(signal))
    decided = Decision.objects.for_organization(organization).filter(action__in=actions)
    asked = actions.exclude(proposed_kind="system")
    keys = list(origins.values_list("key", flat=True))
    here = Q(target_type="signals.signal", target_id=str(signal.pk))
    sessions = Q(target_type="agent.agentsession", target_id__in=keys)
    deeds = AuditEntry.objects.for_organization(organization).filter(here | sessions, actor_kind="person")
    return judged.exists() or decided.exists() or asked.exists() or deeds.exists()


def _opened_by(signal: Signal) -> set[UUID]:
    """The action that opened this ticket, and those that people changed into it: who lets a ticket be opened, or says
    how, has begun on nothing yet."""
    rows = ExternalRef.objects.for_organization(signal.organization).filter(
        connection=signal.connection_id, kind=TICKET_KIND, external_id=signal.external_id
    )
    found: set[UUID] = set()
    next_one = rows.values_list("action_id", flat=True).first()
    while next_one is not None and next_one not in found:
        found.add(next_one)
        earlier = Action.objects.for_organization(signal.organization).filter(pk=next_one)
        next_one = earlier.values_list("replaces", flat=True).first()
    return found
