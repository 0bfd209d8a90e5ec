"""The wish to carry a processor's value to the ticket's source: an Origin that begins and ends with the value.

It is opened in the transaction in which the value comes to stand, and stopped in the one in which another takes its
place or a person takes it back. A claim asks in its one statement whether the origin was stopped, so that nothing
leaves after a person's word.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db.models.functions import Now

from approvals.models import Origin
from approvals.services import open_origin, stop_origin
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import ProcessorResult

#: Id of the one call that an origin is opened for.
WRITE_BACK: Final = "write-back"
#: What the key of an origin begins with that sets a value back which a person took away.
PUT_BACK: Final = "put-back:"


def key_of(result: ProcessorResult) -> str:
    """The key of the value's origin."""
    return f"result:{result.pk}"


def open_wish(result: ProcessorResult) -> None:
    """Write the wish down, and ring. Call it in the transaction that writes the value; the signal has a company."""
    signal = result.signal
    if signal.company is None:
        return
    open_origin(
        organization=result.organization,
        kind=Origin.Kind.PROCESSOR,
        key=key_of(result),
        subject=signal.origin_subject,
        mode=Origin.Mode.PROCESSOR,
        company=signal.company,
        revision=signal.revision,
    )
    ring("result.wished", str(result.pk))


def stop_wishes(results: Collection[ProcessorResult], reason: str) -> None:
    """Let nothing leave for these values any more; what has left stays as it ended."""
    if not results:
        return
    organization = next(iter(results)).organization
    keys = [key_of(result) for result in results]
    for origin in wishes(organization).filter(key__in=keys, stopped_at=None, closed_at=None):
        stop_origin(origin=origin, actor=Actor.system("processor", organization), reason=reason)


def close_wish(origin: Origin) -> None:
    """There is nothing to carry (any more)."""
    wishes(origin.organization).filter(pk=origin.pk, closed_at=None).update(closed_at=Now())


def wishes(organization: Organization) -> TenantQuerySet[Origin]:
    """The origins of processors' values, with what an action needs of them."""
    rows: TenantQuerySet[Origin] = Origin.objects.for_organization(organization)
    return rows.filter(kind=Origin.Kind.PROCESSOR).select_related("organization", "company")
