"""Bases of every admin page: they know the organization, so that a page added later cannot forget it (HOUSE 4)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelChoiceField, ModelForm, ModelMultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import escape
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, checkbox
from unfold.decorators import display

from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission
from junto.tenants.scoping import TenantModel

#: Fields by which no admin page may filter or search, however long the path that leads to them.
NEVER_FILTERED = frozenset({"password", "token_hash", "sealed_credentials"})


#: Stands in the tick of a row for the row's key, so that unfold's template is drawn once and not for every row.
_KEY = "key-of-the-row"
_TICK = checkbox.render(ACTION_CHECKBOX_NAME, _KEY)


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A list filter by a related row, offering only rows that the member may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Choices in the related model's own order."""
        return [(str(row.pk), str(row)) for row in visible_rows(field.remote_field.model, actor_of(request))]


def visible_rows(model: type[models.Model], actor: Actor) -> QuerySet[Any]:
    """The rows of `model` that `actor` may choose from; none of a model that is not of an organization."""
    if not issubclass(model, TenantModel):
        return model._default_manager.none()
    rows = model.objects
    assert isinstance(rows, models.Manager)
    visible: QuerySet[Any] = rows.visible_to(actor)
    return visible


class TenantModelAdmin(ModelAdmin):  # type: ignore[misc]
    """Scopes list, choices and save to the organization; an object that is not there is a 404.

    `view_permission` and `write_permission` are asked of the member; a subclass that lets a company-limited member
    write must ask for the row's own company in its service.
    """

    view_permission: ClassVar[Permission] = Permission.AUTHOR_RUNBOOKS
    write_permission: ClassVar[Permission | None] = Permission.AUTHOR_RUNBOOKS
    #: unfold's templates ask every row for it and its class lacks it, which costs a third of a millisecond each time
    list_sections: ClassVar[tuple[()]] = ()

    @display(description=ModelAdmin.action_checkbox.short_description)  # type: ignore[untyped-decorator]
    def action_checkbox(self, obj: models.Model) -> str:
        """The tick that chooses a row."""
        return SafeString(_TICK.replace(_KEY, escape(str(obj.pk))))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows the member may see."""
        rows = visible_rows(self.model, actor_of(request))
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def get_exclude(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """The organization is never a field of the form."""
        return [*(super().get_exclude(request, obj) or ()), "organization"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Filters by a relation offer only visible rows."""
        return [self._scoped_filter(each) for each in super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """No filter reaches a secret or another model's organization, whatever the address bar says."""
        parts = set(lookup.split("__"))
        if parts & NEVER_FILTERED or "user" in parts:
            return False
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """A plain choice: a form changes its own row, and the rows beside it have pages of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any]:
        """Choices are visible rows."""
        kwargs["queryset"] = visible_rows(db_field.remote_field.model, actor_of(request))
        field: ModelChoiceField[Any] = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def formfield_for_manytomany(
        self, db_field: models.ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any]:
        """Choices are visible rows."""
        kwargs["queryset"] = visible_rows(db_field.remote_field.model, actor_of(request))
        field: ModelMultipleChoiceField[Any] = super().formfield_for_manytomany(db_field, request, **kwargs)
        return field

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> type[ModelForm[Any]]:
        """A form whose instance already belongs to the organization, so that its validation sees the right rows."""
        form: type[ModelForm[Any]] = super().get_form(request, obj, **kwargs)
        organization = actor_of(request).organization

        class Scoped(form):  # type: ignore[valid-type, misc]
            def __init__(self, *args: Any, **inner: Any) -> None:
                super().__init__(*args, **inner)
                if self.instance._state.adding:
                    self.instance.organization = organization

        return Scoped

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """Save into the member's organization, whatever the form held."""
        obj.organization = actor_of(request).organization  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's, but a missing object is a 404 and not a redirect with its id in a message."""
        if object_id is not None:
            self.require_visible(request, object_id)
        response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return response

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's, for a visible object."""
        self.require_visible(request, object_id)
        response: HttpResponse = super().delete_view(request, object_id, extra_context)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history of a visible object; simple-history alone would show that of any deleted one."""
        self.require_visible(request, object_id)
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One version of a visible object (for subclasses that mix in SimpleHistoryAdmin)."""
        self.require_visible(request, object_id)
        response: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return response

    def require_visible(self, request: HttpRequest, object_id: str) -> models.Model:
        """The row that the member may see.

        Raises:
            Http404: there is none, or it is not theirs.
        """
        try:
            key = uuid.UUID(unquote(object_id))
        except ValueError as error:
            raise Http404("There is no such object.") from error
        row: models.Model | None = self.get_queryset(request).filter(pk=key).first()
        if row is None:
            raise Http404("There is no such object.")
        return row

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model is listed for this member."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Asks for `view_permission`."""
        return actor_of(request).can_anywhere(self.view_permission)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Asks for `write_permission`."""
        return self.write_permission is not None and actor_of(request).can_anywhere(self.write_permission)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Asks for `write_permission`."""
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Asks for `write_permission`."""
        return self.has_add_permission(request)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: object) -> None:
        """Not written: Django's log knows no organization; services write the audit entry."""

    def log_change(self, request: HttpRequest, obj: models.Model, message: object) -> None:
        """Not written: see `log_addition`."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Not written: see `log_addition`."""

    def _scoped_filter(self, name: Any) -> Any:
        if not isinstance(name, str) or "__" in name:
            return name
        field = self.model._meta.get_field(name)
        return (name, ScopedRelatedFilter) if field.is_relation else name


class ReadOnlyModelAdmin(TenantModelAdmin):
    """Rows that are only looked at: what happened is never edited."""

    write_permission: ClassVar[Permission | None] = None
    actions: ClassVar[Any] = None

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Every field."""
        return [field.name for field in self.model._meta.fields if field.name != "organization"]
