"""A signal that a person enters: what somebody said on the phone, or saw. No source has a ticket of it (yet)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.models import Contact
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from signals.intake.cleaning import storable
from signals.intake.columns import SUBJECT_LENGTH, TEXT_LIMIT, WORD_LENGTH, line
from signals.models import Board, Signal


class EntryRefused(ValueError):
    """What was entered cannot be a signal; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a person tells of it. `key` tells one press of the button from the next."""

    key: uuid.UUID
    company: Company
    subject: str
    description: str
    contact: Contact | None
    board: Board | None
    priority: str


def enter_signal(*, actor: Actor, entry: Entry) -> Signal:
    """A new signal for a company, from here on like any other; the same key again gives the one that was made.

    A run of a runbook opens its ticket in the PSA.

    Raises:
        PermissionDenied: `actor` may not work for the company.
        EntryRefused: the company's work has ended, it has no subject, or contact or board belong elsewhere.
    """
    require(actor, Permission.RUN_SESSIONS, entry.company)
    if entry.company.ended_words:
        raise EntryRefused(entry.company.ended_words)
    subject, description = line(entry.subject, SUBJECT_LENGTH), storable(entry.description)
    if not subject:
        raise EntryRefused("A subject is needed.")
    if len(description.encode()) > TEXT_LIMIT:
        raise EntryRefused(f"The description is longer than {TEXT_LIMIT // 1024 // 1024} MiB.")
    if entry.contact is not None and entry.contact.company_id != entry.company.pk:
        raise EntryRefused(f"This contact does not belong to {entry.company.name}.")
    if entry.board is not None and entry.board.organization_id != actor.organization.pk:
        raise EntryRefused("There is no such board.")
    made = _made(actor, entry)
    if made is not None:
        return made
    try:
        return _enter(actor, entry, subject, description)
    except IntegrityError:
        made = _made(actor, entry)
        if made is None:
            raise EntryRefused("This form was used before. Open it anew.") from None
        return made


@transaction.atomic
def _enter(actor: Actor, entry: Entry, subject: str, description: str) -> Signal:
    now = timezone.now()
    signal = Signal(
        pk=entry.key,
        organization=actor.organization,
        company=entry.company,
        contact=entry.contact,
        board=entry.board,
        subject=subject,
        description=description,
        priority=line(entry.priority, WORD_LENGTH),
        source_created_at=now,
        source_updated_at=now,
        revision=0,
    )
    signal.external_id = signal.own_id
    signal.save(force_insert=True)
    record(actor, "signal.entered", signal, {"company": str(entry.company.pk)})
    ring("signal.changed", str(signal.pk))
    return signal


def _made(actor: Actor, entry: Entry) -> Signal | None:
    found: Signal | None = Signal.objects.visible_to(actor).filter(pk=entry.key, company=entry.company).first()
    return found
