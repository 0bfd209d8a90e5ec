"""Who does this, in which organization: a person's membership, an API token, or a named system actor."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from guardian.shortcuts import get_group_perms

from junto.tenants.models import Company, Membership, Organization
from junto.tenants.permissions import (
    COMPANY_PERMISSIONS,
    EVERYWHERE_PERMISSIONS,
    SCOPE_PERMISSIONS,
    SYSTEM_PERMISSIONS,
    Permission,
)


@dataclass(frozen=True, eq=False)
class Actor:
    """Lives for one request, frame or step: the rights it read are remembered for that long and no longer (T8).

    `companies` is None where the actor reaches all companies, else the ids of those it is limited to.
    """

    kind: Literal["person", "token", "system"]
    organization: Organization
    label: str
    membership: Membership | None = None
    token_id: uuid.UUID | None = None
    scopes: frozenset[str] = frozenset()
    companies: frozenset[uuid.UUID] | None = frozenset()
    _known: dict[uuid.UUID, frozenset[str]] = field(default_factory=dict, repr=False)

    @classmethod
    def person(cls, membership: Membership) -> Self:
        """The actor behind a membership, read now."""
        limited = None
        if not membership.all_companies:
            limited = frozenset(membership.companies.values_list("id", flat=True))
        return cls(
            kind="person",
            organization=membership.organization,
            label=membership.user.display_name,
            membership=membership,
            companies=limited,
        )

    @classmethod
    def token(
        cls,
        organization: Organization,
        *,
        token_id: uuid.UUID,
        label: str,
        scopes: frozenset[str],
        companies: frozenset[uuid.UUID] | None = None,
    ) -> Self:
        """The actor behind an API token: may what its scopes say, for `companies` (None = all), and never decides."""
        return cls(
            kind="token", organization=organization, label=label, token_id=token_id, scopes=scopes, companies=companies
        )

    @classmethod
    def system(cls, name: str, organization: Organization) -> Self:
        """A named system actor. Raises KeyError for a name that `SYSTEM_PERMISSIONS` does not list."""
        SYSTEM_PERMISSIONS[name]
        return cls(kind="system", organization=organization, label=name, companies=None)

    def can(self, permission: Permission, target: Organization | Company | None = None) -> bool:
        """Whether the right is there on `target` (default: the organization).

        On the organization a company permission means "for every company", so a member limited to some has it not;
        nor one that reaches into every company.
        """
        target = target or self.organization
        if isinstance(target, Company):
            return self._reaches(target) and permission in self._held_on(target)
        if target.pk != self.organization.pk:
            return False
        if self.companies is not None and permission in COMPANY_PERMISSIONS | EVERYWHERE_PERMISSIONS:
            return False
        return permission in self._held_on(target)

    def can_anywhere(self, permission: Permission) -> bool:
        """Whether the right is there for at least one company, or for the organization."""
        if permission not in COMPANY_PERMISSIONS:
            return self.can(permission)
        if self.companies is not None and not self.companies:
            return False
        return permission in self._held_on(self.organization)

    def _reaches(self, company: Company) -> bool:
        if company.organization_id != self.organization.pk:
            return False
        return self.companies is None or company.pk in self.companies

    def _held_on(self, target: Organization | Company) -> frozenset[str]:
        if self.kind == "system":
            return frozenset(SYSTEM_PERMISSIONS[self.label])
        if self.kind == "token":
            return frozenset().union(*(SCOPE_PERMISSIONS[scope] for scope in self.scopes))
        if target.pk not in self._known:
            self._known[target.pk] = self._read(target)
        return self._known[target.pk]

    def _read(self, target: Organization | Company) -> frozenset[str]:
        membership = self.membership
        if membership is None or not membership.is_active or not membership.user.is_active:
            return frozenset()
        codenames: Iterable[Any] = get_group_perms(membership.user, target)
        return frozenset(codenames)
