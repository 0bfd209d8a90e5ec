"""When the agent starts by itself and what it is always told; sessions and their events, looked at and never edited."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest

from agent.admin_replays import ReplayAdmin
from agent.forms import InstructionForm, StartRuleForm
from agent.instructions import remove_instruction, set_instruction
from agent.models import AgentSession, Instruction, SessionEvent, StartRule
from agent.start_rules import remove_start_rule, set_start_rule
from junto.tenants.access import actor_of
from junto.tenants.options import ReadOnlyModelAdmin, TenantModelAdmin
from junto.tenants.permissions import Permission
from junto.tenants.sites import site

__all__ = ["AgentSessionAdmin", "InstructionAdmin", "ReplayAdmin", "SessionEventAdmin", "StartRuleAdmin"]


class _RuleAdmin(TenantModelAdmin):
    """Rows that managers read and Admins set, one for each target (None = everywhere), through a service."""

    #: The field that names what the row is about, and how its empty choice reads.
    target: ClassVar[str]
    everywhere: ClassVar[str]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        """A rule that is there stays what it is about."""
        return () if obj is None else (self.target,)

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any]:
        """The empty choice in words."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.empty_label = self.everywhere  # unfold writes its own over what it is given
        return field

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Without the menu that leads to the target's own page, on which there is nothing to change."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Each by the service, which writes the audit entry."""
        for row in queryset:
            self.delete_model(request, row)


@admin.register(StartRule, site=site)
class StartRuleAdmin(_RuleAdmin):
    """Whether the agent starts by itself, for the organization and for boards."""

    form = StartRuleForm
    fields = ("board", "mode")
    list_display = ("applies_to", "agent")
    list_select_related = ("board",)
    ordering: ClassVar = ["board__name"]
    list_before_template = "admin/agent/startrule/_before.html"
    write_permission = Permission.MANAGE_POLICIES
    target = "board"
    everywhere = "All boards without a rule of their own"

    @admin.display(description="Tickets of", ordering="board__name")
    def applies_to(self, rule: StartRule) -> str:
        """The board, or that it is the organization's rule."""
        return str(rule.board or self.everywhere)

    @admin.display(description="The agent", ordering="mode")
    def agent(self, rule: StartRule) -> str:
        """What the agent does by itself."""
        return str(rule.get_mode_display())

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """By the service."""
        assert isinstance(obj, StartRule)
        row = set_start_rule(actor=actor_of(request), mode=StartRule.Mode(obj.mode), board=obj.board)
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """By the service."""
        assert isinstance(obj, StartRule)
        remove_start_rule(actor=actor_of(request), rule=obj)


@admin.register(Instruction, site=site)
class InstructionAdmin(_RuleAdmin):
    """What the agent is always told, at every company or at one."""

    form = InstructionForm
    fields = ("company", "text")
    list_display = ("applies_to", "beginning")
    list_select_related = ("company",)
    ordering: ClassVar = ["company__name"]
    search_fields = ("text", "company__name")
    list_before_template = "admin/agent/instruction/_before.html"
    write_permission = Permission.MANAGE_MODEL
    target = "company"
    everywhere = "All companies"

    @admin.display(description="At", ordering="company__name")
    def applies_to(self, instruction: Instruction) -> str:
        """The company, or that it holds at all."""
        return str(instruction.company or self.everywhere)

    @admin.display(description="The agent is told")
    def beginning(self, instruction: Instruction) -> str:
        """Its first line."""
        line = instruction.text.strip().partition("\n")[0]
        return line if len(line) <= 100 else f"{line[:99]}…"

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """By the service."""
        assert isinstance(obj, Instruction)
        row = set_instruction(actor=actor_of(request), text=obj.text, company=obj.company)
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """By the service."""
        assert isinstance(obj, Instruction)
        remove_instruction(actor=actor_of(request), instruction=obj)


@admin.register(AgentSession, site=site)
class AgentSessionAdmin(ReadOnlyModelAdmin):
    """What the agent worked on."""

    list_display = ("signal", "company", "state", "model_label", "steps_used", "created_at")
    list_filter = ("state", "company")
    list_select_related = ("signal", "company")


@admin.register(SessionEvent, site=site)
class SessionEventAdmin(ReadOnlyModelAdmin):
    """What was said and done, in order."""

    list_display = ("session", "number", "kind", "action_state", "created_at")
    list_filter = ("kind",)
    list_select_related = ("session__signal",)
    ordering: ClassVar = ["-created_at", "-number"]
