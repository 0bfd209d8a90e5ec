"""Who we work for: users, organizations (MSPs), their companies and their members."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from junto.tenants.permissions import COMPANY_PERMISSIONS, Permission, Role
from junto.tenants.scoping import TenantModel, TenantQuerySet


def _labels(permissions: frozenset[Permission] | type[Permission]) -> list[tuple[str, Any]]:
    return [(each.value, each.value.replace("_", " ").capitalize()) for each in sorted(permissions)]


class User(AbstractUser):
    """A person who can log in. Rights come from memberships only: nobody is a superuser (I4)."""

    email = models.EmailField("e-mail address", unique=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(is_superuser=False), name="user_never_superuser"),
        ]

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        parts = (self.get_full_name() or self.username).split()
        return "".join(part[0] for part in parts[:2]).upper()

    @property
    def display_name(self) -> str:
        """Full name, else the login name."""
        return self.get_full_name() or self.username


class Organization(models.Model):
    """An MSP: the border that no row, right or request crosses."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        permissions: ClassVar = _labels(Permission)

    def __str__(self) -> str:
        return self.name


class CompanyQuerySet(TenantQuerySet["Company"]):
    company_path = "id"


class Company(TenantModel):
    """A client of the MSP. `is_active` False = work for it has ended: nothing is begun, asked or done there."""

    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CompanyQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        default_permissions = ()
        permissions: ClassVar = _labels(COMPANY_PERMISSIONS)
        verbose_name_plural = "companies"
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="company_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ended_words(self) -> str:
        """Why nothing is begun or done for it, for a person to read; empty while we work for it."""
        if self.is_active:
            return ""
        return f"Work for {self.name} has ended. A manager may open it again in the admin, under Companies."


class Membership(TenantModel):
    """A user in an organization, with one role. Limited to `companies` unless `all_companies` says otherwise."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.name.capitalize()) for role in Role])
    is_active = models.BooleanField(default=True)
    all_companies = models.BooleanField(default=False)
    companies = models.ManyToManyField(Company, blank=True, related_name="+")
    billing_tools = models.BooleanField(
        default=False, help_text="May decide actions of tools marked as having a billing effect."
    )
    psa_member = models.CharField(
        max_length=80, blank=True, help_text="This person's member identifier in the PSA, for time entries and notes."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user.display_name}, {self.get_role_display()}"

    @property
    def group_name(self) -> str:
        """The one Group that carries this role's guardian rows in this organization."""
        return group_name(self.organization_id, Role(self.role))


def group_name(organization_id: uuid.UUID, role: Role) -> str:
    """Name of the Group for (organization, role)."""
    return f"organization:{organization_id}:{role.value}"
