"""Telling members things. A row is the notice; the desk delivers it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from junto.inbox.models import Notification
from junto.tenants.models import Membership


def notify(
    *,
    members: Iterable[Membership],
    kind: str,
    title: str,
    body: str = "",
    path: str = "",
    subject: str = "",
) -> list[Notification]:
    """Write one notice to each of `members`, in the caller's transaction.

    `path` is relative to the organization's prefix. A member who has an unread notice of the same kind and subject
    (when one is given) is not told twice.
    """
    written = []
    for member in members:
        already = Notification.objects.for_organization(member.organization).filter(
            membership=member, kind=kind, subject=subject, read_at=None
        )
        if subject and already.exists():
            continue
        written.append(
            Notification.unscoped.create(
                organization=member.organization,
                membership=member,
                kind=kind,
                title=title[:200],
                body=body,
                path=path,
                subject=subject,
            )
        )
    return written


def notices_of(membership: Membership) -> QuerySet[Notification]:
    """This member's notices, newest first."""
    return Notification.objects.for_organization(membership.organization).filter(membership=membership)


def mark_read(*, membership: Membership) -> int:
    """Mark all of this member's notices as read; returns how many were not."""
    return notices_of(membership).filter(read_at=None).update(read_at=timezone.now())
