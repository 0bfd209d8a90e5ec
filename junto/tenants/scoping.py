"""Rows belong to one organization, and forgetting to say which one raises (I6)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from django.db import models

from junto.tenants.permissions import Permission

if TYPE_CHECKING:
    from junto.tenants.actors import Actor
    from junto.tenants.models import Organization


class UnscopedQuery(RuntimeError):
    """A tenant query was evaluated without `for_organization()` or `visible_to()`."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(
            f"{model.__name__}.objects was evaluated without an organization: "
            "call for_organization(organization) or visible_to(actor) first."
        )


M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """A queryset that answers only after it was told whose rows are meant.

    `company_path` is the lookup that leads from the row to its company; None = rows that no company owns, which
    every member of the organization may see.
    """

    company_path: ClassVar[str | None] = None
    _scoped: bool = False

    def for_organization(self, organization: Organization) -> Self:
        """All rows of `organization`."""
        found = self.filter(organization=organization)
        found._scoped = True  # noqa: SLF001  (our own class)
        return found

    def visible_to(self, actor: Actor) -> Self:
        """The rows `actor` may see: of its organization, of its companies where it is limited to some."""
        if not actor.can_anywhere(Permission.VIEW_WORK):
            return self.for_organization(actor.organization).none()
        return self.reached_by(actor)

    def reached_by(self, actor: Actor) -> Self:
        """The rows of `actor`'s companies, whether or not it may see them: those it may name in what it asks for."""
        found = self.for_organization(actor.organization)
        if actor.companies is not None and self.company_path is not None:
            found = found.filter(**{f"{self.company_path}__in": actor.companies})
        return found

    def _require_scope(self) -> None:
        if not self._scoped:
            raise UnscopedQuery(self.model)

    def _require_scopes(self, others: Iterable[Any]) -> None:
        """Two queries joined to one are both scoped: a stranger's rows must not come in by the side door."""
        for query in (self, *others):
            if not getattr(query, "_scoped", False):
                raise UnscopedQuery(self.model)

    def _clone(self) -> Self:
        copy: Self = super()._clone()  # type: ignore[misc]
        copy._scoped = self._scoped
        return copy

    def _fetch_all(self) -> None:
        self._require_scope()
        super()._fetch_all()

    def iterator(self, chunk_size: int | None = None) -> Iterator[M]:
        self._require_scope()
        return super().iterator(chunk_size) if chunk_size else super().iterator()

    def aiterator(self, chunk_size: int = 2000) -> AsyncIterator[M]:
        self._require_scope()
        return super().aiterator(chunk_size)

    def raw(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused always: the database's own words know no scope."""
        raise UnscopedQuery(self.model)

    def union(self, *others: Any, all: bool = False) -> Self:  # noqa: A002  (Django's name)
        self._require_scopes(others)
        return super().union(*others, all=all)

    def intersection(self, *others: Any) -> Self:
        self._require_scopes(others)
        return super().intersection(*others)

    def difference(self, *others: Any) -> Self:
        self._require_scopes(others)
        return super().difference(*others)

    def __and__(self, other: Any) -> Self:
        self._require_scopes([other])
        return super().__and__(other)

    def __or__(self, other: Any) -> Self:
        self._require_scopes([other])
        return super().__or__(other)

    def __xor__(self, other: Any) -> Self:
        self._require_scopes([other])
        return super().__xor__(other)

    def count(self) -> int:
        self._require_scope()
        return super().count()

    def exists(self) -> bool:
        self._require_scope()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._require_scope()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._require_scope()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._require_scope()
        return super().delete()


class TenantModel(models.Model):
    """A row of one organization. `objects` is guarded; `unscoped` is Django's own plumbing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey("tenants.Organization", on_delete=models.CASCADE, related_name="+")

    objects = TenantQuerySet.as_manager()
    unscoped = models.Manager()  # noqa: DJ012

    class Meta:
        abstract = True
        base_manager_name = "unscoped"
        default_manager_name = "unscoped"
