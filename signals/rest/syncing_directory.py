"""A delivery of companies, contacts or devices by a sync job: each checked by itself, the good ones stored."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from integrations.deliveries import remember_delivery
from integrations.directory_sync import DirectoryOutcome, DirectoryResult, DirectoryTold, upsert_directory
from integrations.models import Connection, DirectoryRecord
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.intake.cleaning import TicketRefused, clean_json
from signals.intake.columns import identifier, line, moment_of, optional_identifier, past_moment, revision_of
from signals.rest.serializers import first_problem
from signals.rest.serializers_directory import CompanyInput, ContactInput, DeviceInput
from signals.rest.syncing import sent_id

Kind = DirectoryRecord.Kind

INPUTS: dict[Kind, type[CompanyInput | ContactInput | DeviceInput]] = {
    Kind.COMPANY: CompanyInput,
    Kind.CONTACT: ContactInput,
    Kind.DEVICE: DeviceInput,
}
PLURALS = {Kind.COMPANY: "companies", Kind.CONTACT: "contacts", Kind.DEVICE: "devices"}


@transaction.atomic
def take_directory_delivery(
    *, connection: Connection, kind: Kind, items: Sequence[object], actor: Actor, dry_run: bool = False
) -> list[DirectoryResult]:
    """Store what the items say; one result per item, in the given order. One that cannot be used is refused alone.

    Written with its audit entry in one transaction. A dry run goes the same way and takes all of it back: nothing is
    stored, audited or rung, and what would be new has no id.

    Raises:
        PermissionDenied: `actor` may not sync companies of the connection's organization.
    """
    require(actor, Permission.SYNC_COMPANIES, connection.organization)
    read = [_read(item, kind) for item in items]
    told = [each for each in read if isinstance(each, DirectoryTold)]
    with transaction.atomic():
        stored = iter(upsert_directory(connection=connection, kind=kind, told=told, actor=actor))
        results = [each if isinstance(each, DirectoryResult) else next(stored) for each in read]
        remember_delivery(connection, PLURALS[kind], [moment_of(each.revision) for each in told])
        record(actor, f"{PLURALS[kind]}.synced", connection, Counter(result.outcome.value for result in results))
        transaction.set_rollback(dry_run)
    if not dry_run:
        return results
    return [replace(each, row_id=None) if each.outcome == DirectoryOutcome.CREATED else each for each in results]


def _read(item: object, kind: Kind) -> DirectoryTold | DirectoryResult:
    """What the item says, or its refusal."""
    try:
        fields = cast("dict[str, object]", INPUTS[kind]().run_validation(clean_json(item)))
        return _told(fields, kind)
    except TicketRefused as refusal:
        return _refused(item, str(refusal))
    except ValidationError as error:
        return _refused(item, first_problem(error.detail))


def _told(fields: dict[str, object], kind: Kind) -> DirectoryTold:
    deleted = bool(fields["deleted"])
    company = optional_identifier(str(fields.get("company", "")), "company")
    texts = {name: line(str(fields[name]), length) for name, length in INPUTS[kind].lengths.items()}
    if not deleted and kind == Kind.COMPANY and not texts["name"]:
        raise TicketRefused("name is empty: a company has one.")
    if not deleted and kind != Kind.COMPANY and not company:
        raise TicketRefused("company is empty: send the source's id of the company it belongs to.")
    said = json.dumps([company, deleted, texts], sort_keys=True)
    return DirectoryTold(
        external_id=identifier(str(fields["external_id"]), "external_id"),
        revision=revision_of(past_moment(cast("datetime", fields["updated_at"]), now=timezone.now())),
        deleted=deleted,
        company_external_id=company,
        fields=texts,
        digest=hashlib.sha256(said.encode()).hexdigest(),
    )


def _refused(item: object, reason: str) -> DirectoryResult:
    return DirectoryResult(external_id=sent_id(item), outcome=DirectoryOutcome.REFUSED, reason=reason)
