"""A row of every model there is, with a canary in every text: whatever is added later is planted too."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from junto.audit.models import AuditEntry, AuditHead
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization, User
from junto.tenants.scoping import TenantModel
from tests.architecture.test_models import tenant_models

#: Stands in every text of Northwind's rows. No page that Ines sees may ever hold it.
CANARY = "canary7f3a"


class Garden:
    """One planted row of each model of an organization."""

    def __init__(self, organization: Organization, member: Membership) -> None:
        self.organization = organization
        self.member = member
        self.rows: dict[type[models.Model], TenantModel] = {}

    def plant_all(self) -> dict[type[models.Model], TenantModel]:
        """A row of each tenant model, those they point at first; names of people and organization are canaries too."""
        self.rows[Membership] = self.member
        for model in tenant_models():
            self.row(model)
        name = f"{CANARY} {self.organization.slug}"
        Organization.objects.filter(pk=self.organization.pk).update(name=name)
        members = Membership.unscoped.filter(organization=self.organization).values("user")
        User.objects.filter(pk__in=members).update(first_name=CANARY, last_name=CANARY)
        Company.unscoped.filter(organization=self.organization).update(name=models.F("id"))
        for company in Company.unscoped.filter(organization=self.organization):
            Company.unscoped.filter(pk=company.pk).update(name=f"{CANARY} {company.pk}")
        return self.rows

    def row(self, model: type[TenantModel]) -> TenantModel:
        """The planted row of `model`."""
        if model not in self.rows:
            self.rows[model] = self._existing(model) or self._new(model)
        return self.rows[model]

    def _existing(self, model: type[TenantModel]) -> TenantModel | None:
        if model is AuditEntry:
            return record(Actor.person(self.member), CANARY, self.organization, {"text": CANARY})
        if model is AuditHead:
            return AuditHead.unscoped.get(organization=self.organization)
        if model is Company:
            return Company.unscoped.filter(organization=self.organization).first()
        return None

    def _new(self, model: type[TenantModel]) -> TenantModel:
        values = {
            field.name: self._value(field)
            for field in model._meta.concrete_fields
            if not field.primary_key
            and not getattr(field, "auto_now", False)
            and not getattr(field, "auto_now_add", False)
        }
        return model.unscoped.create(**values)

    def _value(self, field: models.Field[Any, Any]) -> object:
        if isinstance(field, models.ForeignKey):
            return self._related(field)
        if field.choices:
            return field.get_default() or field.choices[0][0]
        for kind, value in _VALUES:
            if isinstance(field, kind):
                return value(field)
        raise TypeError(f"Nobody said what to plant into {field}: add it to _VALUES.")

    def _related(self, field: models.ForeignKey[Any, Any]) -> models.Model | None:
        target = field.related_model
        if target is Organization:
            return self.organization
        if target is User:
            return self.member.user
        if target is field.model:
            return None
        assert issubclass(target, TenantModel), f"{field} leads out of the organization."
        return self.row(target)


def _text(field: models.Field[Any, Any]) -> str:
    length = field.max_length or 200
    if length == 64:  # a digest
        return hashlib.sha256(uuid.uuid4().bytes).hexdigest()
    return f"{CANARY} {uuid.uuid4()}"[:length]


_VALUES: list[tuple[type[models.Field[Any, Any]], Any]] = [
    (models.EmailField, lambda field: f"{CANARY}@example.com"),
    (models.URLField, lambda field: f"https://{CANARY}.example.com"),
    (models.SlugField, lambda field: CANARY),
    (models.CharField, _text),
    (models.TextField, _text),
    (models.BinaryField, lambda field: CANARY.encode()),
    (models.JSONField, lambda field: [] if field.default is list else {CANARY: CANARY}),
    (models.BooleanField, lambda field: False),
    (models.UUIDField, lambda field: uuid.uuid4()),
    (models.IntegerField, lambda field: 1),
    (models.FloatField, lambda field: 0.5),
    (models.DateTimeField, lambda field: timezone.now() - dt.timedelta(minutes=1)),
    (models.DateField, lambda field: timezone.now().date()),  # behind the moments, which are dates to Django
    (models.DurationField, lambda field: dt.timedelta(minutes=1)),
]


def crossings() -> list[str]:
    """Rows of one organization that point at a row of another; there must never be one."""
    found = []
    for model in tenant_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantModel):
                across = (
                    model.unscoped.exclude(**{field.name: None})
                    .exclude(organization=models.F(f"{field.name}__organization"))
                    .count()
                )
                if across:
                    found.append(f"{model._meta.label}.{field.name}")
    return found
