"""Companies, contacts and devices as sync jobs deliver them: whatever the order and however often, the newest stands.

What was said last of each is kept in a `DirectoryRecord`; the rows that people and tools see follow it. What is gone
at the source stays here with its history, and says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.contracts import CompanyRecord
from integrations.directory import (
    directory_records,
    lock_directory,
    owners_of,
    settle_waiting,
    store_companies,
    store_records,
)
from integrations.models import CompanyLink, Connection, Contact, Device, DirectoryRecord
from junto.bells import ring
from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

Kind = DirectoryRecord.Kind

#: How many companies one notice names.
NAMED = 5


class DirectoryOutcome(StrEnum):
    """What became of one delivered company, contact or device."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"
    GONE = "gone"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class DirectoryTold:
    """What a sync job says of one. `fields` are those of its kind's record but the two ids; ids are the source's.

    `revision` = microseconds since 1970 of the source's own last update.
    """

    external_id: str
    revision: int
    deleted: bool
    company_external_id: str
    fields: Mapping[str, str]
    digest: str


@dataclass(frozen=True, kw_only=True)
class DirectoryResult:
    """What became of it. `row_id` is ours; None where there is none (yet). `reason` is for people."""

    external_id: str
    outcome: DirectoryOutcome
    row_id: uuid.UUID | None = None
    reason: str = ""


@transaction.atomic
def upsert_directory(
    *, connection: Connection, kind: Kind, told: Sequence[DirectoryTold], actor: Actor
) -> list[DirectoryResult]:
    """Make our rows say what the newest delivered revisions say; one result for each, in the given order.

    Idempotent and independent of order: an older revision changes nothing, nor does the same content again; of two
    different contents with one revision the later wins, and a deletion over all. The number of queries does not depend
    on how many there are. A contact or device of an unknown company is kept until the company comes.

    Raises:
        PermissionDenied: `actor` may not sync companies of the connection's organization.
    """
    require(actor, Permission.SYNC_COMPANIES, connection.organization)
    lock_directory(connection)
    return _Writer(connection, kind, actor).write(told)


@dataclass(frozen=True)
class _Writer:
    """Writes one delivery of one kind; holds the connection's lock."""

    connection: Connection
    kind: Kind
    actor: Actor

    def write(self, told: Sequence[DirectoryTold]) -> list[DirectoryResult]:
        ids = {each.external_id for each in told}
        held = {
            row.external_id: row
            for row in directory_records(self.connection).filter(kind=self.kind, external_id__in=ids)
        }
        before = self._rows(ids)
        winners = _newest(told)
        news = {key: each for key, each in winners.items() if _is_news(each, held.get(key))}
        self._keep(list(news.values()))
        self._apply(list(news.values()))
        after = self._rows(ids)
        return [self._result(each, winners[each.external_id], held, before, after) for each in told]

    def _keep(self, news: Sequence[DirectoryTold]) -> None:
        DirectoryRecord.objects.bulk_create(
            [self._record(each) for each in news],
            update_conflicts=True,
            unique_fields=["connection", "kind", "external_id"],
            update_fields=["company_external_id", "revision", "digest", "deleted", "told", "changed_at"],
            batch_size=500,
        )

    def _record(self, told: DirectoryTold) -> DirectoryRecord:
        return DirectoryRecord(
            organization_id=self.connection.organization_id,
            connection=self.connection,
            kind=self.kind,
            external_id=told.external_id,
            company_external_id=told.company_external_id,
            revision=told.revision,
            digest=told.digest,
            deleted=told.deleted,
            told=dict(told.fields),
        )

    def _apply(self, news: Sequence[DirectoryTold]) -> None:
        if not news:
            return
        live = [self._record(each) for each in news if not each.deleted]
        self._mark_gone({each.external_id for each in news if each.deleted})
        if self.kind == Kind.COMPANY:
            records = [CompanyRecord(external_id=row.external_id, **row.told) for row in live]
            new = store_companies(self.connection, records, actor=self.actor)
            if new:
                settle_waiting(self.connection, new)
        else:
            owners = owners_of(self.connection)
            store_records(self.connection, self.kind, live, owners)
            # it belongs to a company that we do not know, and no longer to the one where it stands
            self._mark_gone({row.external_id for row in live if row.company_external_id not in owners})
        ring("directory.changed", str(self.connection.pk))

    def _mark_gone(self, external_ids: Collection[str]) -> None:
        if not external_ids:
            return
        rows = self._table().filter(external_id__in=external_ids, gone_at=None)
        if self.kind == Kind.COMPANY:
            self._tell_of(list(rows.values_list("company__name", flat=True)))
        rows.update(gone_at=timezone.now())

    def _tell_of(self, names: Sequence[str]) -> None:
        """Who manages integrations hears that companies are gone at the source: ending the work is theirs to decide."""
        if not names:
            return
        members = Membership.objects.for_organization(self.connection.organization).filter(is_active=True)
        named = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        notify(
            members=[
                member
                for member in members.select_related("user", "organization")
                if Actor.person(member).can(Permission.MANAGE_INTEGRATIONS)
            ],
            kind="directory.gone",
            title=f"Gone in {self.connection.label}: {named}",
            body=(
                "The source says that there is no such company any more. Its tickets and history stay here. Where the "
                "work for it has ended, end it in the admin, under Companies."
            ),
        )

    def _rows(self, external_ids: Collection[str]) -> dict[str, uuid.UUID]:
        """Our rows of those ids: of a company its own id, not its link's."""
        column = "company_id" if self.kind == Kind.COMPANY else "id"
        return dict(self._table().filter(external_id__in=external_ids).values_list("external_id", column))

    def _table(self) -> TenantQuerySet[Any]:
        tables: dict[str, TenantQuerySet[Any]] = {
            Kind.COMPANY: CompanyLink.objects.for_organization(self.connection.organization),
            Kind.CONTACT: Contact.objects.for_organization(self.connection.organization),
            Kind.DEVICE: Device.objects.for_organization(self.connection.organization),
        }
        return tables[self.kind].filter(connection=self.connection)

    def _result(
        self,
        told: DirectoryTold,
        winner: DirectoryTold,
        held: Mapping[str, DirectoryRecord],
        before: Mapping[str, uuid.UUID],
        after: Mapping[str, uuid.UUID],
    ) -> DirectoryResult:
        key = told.external_id
        row_id, known = after.get(key), held.get(key)
        if told is not winner:
            same = told.digest == winner.digest
            outcome = DirectoryOutcome.UNCHANGED if same else DirectoryOutcome.STALE
            reason = "" if same else "Another word of it in the same delivery stands."
        elif not _is_news(told, known):
            same = known is not None and (told.revision, told.deleted) == (known.revision, known.deleted)
            outcome = DirectoryOutcome.UNCHANGED if same else DirectoryOutcome.STALE
            reason = "" if same else "We hold a newer revision."
        elif told.deleted:
            return DirectoryResult(external_id=key, outcome=DirectoryOutcome.GONE, row_id=row_id)
        else:
            is_known = key in before or known is not None
            outcome = DirectoryOutcome.UPDATED if is_known else DirectoryOutcome.CREATED
            reason = ""
            if row_id is None:
                reason = f"Company {told.company_external_id} is not known yet: this is kept, and used when it comes."
        return DirectoryResult(external_id=key, outcome=outcome, row_id=row_id, reason=reason)


def _newest(told: Sequence[DirectoryTold]) -> dict[str, DirectoryTold]:
    """The one of each id that stands."""
    found: dict[str, DirectoryTold] = {}
    for each in told:
        other = found.get(each.external_id)
        if other is None or (each.revision, each.deleted) >= (other.revision, other.deleted):
            found[each.external_id] = each
    return found


def _is_news(told: DirectoryTold, held: DirectoryRecord | None) -> bool:
    """Whether it says more than what was said last; in the same second a deletion is the last word."""
    if held is None or told.revision != held.revision:
        return held is None or told.revision > held.revision
    return not held.deleted and (told.deleted or told.digest != held.digest)
