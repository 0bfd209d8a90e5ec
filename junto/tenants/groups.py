"""The guardian rows behind roles: one Group per (organization, role), with rows on the Organization and its Companies.

Callers hold the transaction in which the membership or company changes, so that the rows are never out of step.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as PermissionRow
from django.contrib.contenttypes.models import ContentType
from django.db import models
from guardian.models import GroupObjectPermission

from junto.tenants.models import Company, Membership, Organization, group_name
from junto.tenants.permissions import COMPANY_PERMISSIONS, ROLE_PERMISSIONS, Permission, Role


def write_organization_rows(organization: Organization) -> None:
    """Make the five groups of an organization and give them their rows on it; safe to repeat."""
    _write(Organization, [organization], organization, frozenset(Permission))


def write_company_rows(organization: Organization, companies: Iterable[Company]) -> None:
    """Give the organization's groups their rows on new companies, all at once; safe to repeat."""
    _write(Company, companies, organization, COMPANY_PERMISSIONS)


def join_role_group(membership: Membership) -> None:
    """Put the user into the group of the membership's role here, and into no other of this organization."""
    leave_role_groups(membership)
    membership.user.groups.add(Group.objects.get(name=membership.group_name))


def leave_role_groups(membership: Membership) -> None:
    """Take the user out of every group of this organization."""
    names = [group_name(membership.organization_id, role) for role in Role]
    membership.user.groups.remove(*Group.objects.filter(name__in=names))


def _write(
    model: type[models.Model],
    targets: Iterable[Organization | Company],
    organization: Organization,
    permissions: frozenset[Permission],
) -> None:
    content_type = ContentType.objects.get_for_model(model)
    rows = {row.codename: row for row in PermissionRow.objects.filter(content_type=content_type)}
    groups = _groups(organization)
    GroupObjectPermission.objects.bulk_create(
        [
            GroupObjectPermission(
                group=groups[role],
                permission=rows[permission.value],
                content_type=content_type,
                object_pk=str(target.pk),
            )
            for target in targets
            for role, held in ROLE_PERMISSIONS.items()
            for permission in sorted(held & permissions)
        ],
        ignore_conflicts=True,
        batch_size=2000,
    )


def _groups(organization: Organization) -> dict[Role, Group]:
    names = {group_name(organization.pk, role): role for role in Role}
    Group.objects.bulk_create([Group(name=name) for name in names], ignore_conflicts=True)
    return {names[group.name]: group for group in Group.objects.filter(name__in=names)}
