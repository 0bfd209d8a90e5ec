"""Writing the log, and showing that nobody has changed it."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from pydantic import JsonValue

from junto.audit.chain import chain_hash, plain
from junto.audit.models import AuditEntry, AuditHead
from junto.tenants.actors import Actor
from junto.tenants.models import Organization

READ_AT_ONCE = 2000


class NoTransaction(RuntimeError):
    """An entry was to be written outside the transaction of the change it tells of (I14)."""


@dataclass(frozen=True)
class ChainReport:
    """What a look at one organization's chain found. `broken_number` is the first entry that is not as it was."""

    organization: str
    entries: int
    head_number: int
    head_hash: str
    broken_number: int | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether every entry is as it was written, and none is missing."""
        return self.broken_number is None


def record(actor: Actor, verb: str, target: models.Model, detail: Mapping[str, object] | None = None) -> AuditEntry:
    """Append one entry to the actor's organization, in the caller's transaction.

    The head's row is locked until that transaction ends, so numbers have no gap and the chain no fork.

    Raises:
        NoTransaction: there is no transaction open.
    """
    return record_all(actor, verb, [(target, detail or {})])[0]


def record_all(actor: Actor, verb: str, told: Iterable[tuple[models.Model, Mapping[str, object]]]) -> list[AuditEntry]:
    """Append an entry for each target, in that order and in a fixed number of queries. Raises as `record`."""
    if not transaction.get_connection().in_atomic_block:
        raise NoTransaction(f"record({verb!r}) belongs into the transaction of the change it tells of.")
    head, now = _locked_head(actor.organization), timezone.now()
    entries = []
    for target, detail in told:
        entry = AuditEntry(
            organization=actor.organization,
            number=head.number + 1,
            at=now,
            actor_kind=actor.kind,
            actor_label=str(plain(actor.label))[:200],
            actor_id=_actor_id(actor),
            verb=verb,
            target_type=target._meta.label_lower,
            target_id=str(target.pk),
            detail=plain(detail),
            previous_hash=head.hash,
        )
        entry.hash = _hash(entry, head.hash)
        entries.append(entry)
        head.number, head.hash = entry.number, entry.hash
    AuditEntry.unscoped.bulk_create(entries)
    head.save(update_fields=["number", "hash"])
    return entries


def verify_chain(organization: Organization, *, exported_head: tuple[int, str] | None = None) -> ChainReport:
    """Read the whole chain again and compare it with itself, with its head, and with an exported head if one is given.

    Only an exported head shows a tail that was cut off together with the head's row (TRUST (a), audit chain);
    `junto.audit.tasks` exports one an hour.
    """
    head = AuditHead.objects.for_organization(organization).first() or AuditHead(organization=organization)
    entries = AuditEntry.objects.for_organization(organization).order_by("number", "id")
    count, previous, known = 0, "", {0: ""}
    kept = {head.number, exported_head[0] if exported_head else 0}

    def report(broken: int | None = None, reason: str = "") -> ChainReport:
        return ChainReport(organization.slug, count, head.number, head.hash, broken, reason)

    for entry in entries.iterator(READ_AT_ONCE):
        count += 1
        if entry.number != count:
            return report(count, f"entry {count} is missing")
        if entry.previous_hash != previous or not hmac.compare_digest(entry.hash, _hash(entry, previous)):
            return report(count, f"entry {count} is not as it was written")
        previous = entry.hash
        if count in kept:
            known[count] = entry.hash
    if count == 0:
        return report(1, "the log is empty, though making an organization writes its first entry")
    if count < head.number:
        return report(count + 1, f"entries {count + 1} to {head.number} are missing")
    if (head.number, head.hash) != (count, previous):
        return report(head.number + 1, f"the head ends at entry {head.number}, the log at {count}")
    if exported_head is not None and known.get(exported_head[0]) != exported_head[1]:
        return report(exported_head[0], f"entry {exported_head[0]} is not the one that was exported")
    return report()


def _locked_head(organization: Organization) -> AuditHead:
    rows = AuditHead.unscoped.select_for_update().filter(organization=organization)
    head = rows.first()
    if head is None:
        AuditHead.unscoped.get_or_create(organization=organization)
        head = rows.get()
    return head


def _actor_id(actor: Actor) -> str:
    if actor.membership is not None:
        return str(actor.membership.pk)
    return str(actor.token_id or "")


def _hash(entry: AuditEntry, previous_hash: str) -> str:
    row: dict[str, JsonValue] = {
        "id": str(entry.pk),
        "organization": str(entry.organization_id),
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor_kind": entry.actor_kind,
        "actor_label": entry.actor_label,
        "actor_id": entry.actor_id,
        "verb": entry.verb,
        "target_type": entry.target_type,
        "target_id": entry.target_id,
        "detail": plain(entry.detail),
    }
    return chain_hash(settings.AUDIT_KEY, previous_hash, row)
