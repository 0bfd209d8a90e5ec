"""What the REST endpoints of sessions and actions take and give: shapes only, no decisions."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from agent.models import AgentSession
from approvals.models import Action, Origin
from signals.rest.foreign import ForeignInput

#: How a token may begin a session; a run of a runbook is begun by people and triggers.
MODES = (Origin.Mode.PREPARE.value, Origin.Mode.TRIAGE.value)


class SessionInput(ForeignInput):
    """On which signal the agent is to begin."""

    signal = serializers.UUIDField()
    mode = serializers.ChoiceField(
        choices=MODES, default=MODES[0], help_text="`prepare` looks things up and reports; `triage` also proposes."
    )


class ProposalInput(ForeignInput):
    """One call of a tool on one signal."""

    signal = serializers.UUIDField()
    key = serializers.CharField(
        max_length=80, help_text="Yours: the same key again is the same action. A UUID is best."
    )
    tool = serializers.CharField(max_length=120, help_text="As `connectwise.add_internal_note`.")
    arguments = serializers.DictField(required=False, default=dict, help_text="As the tool declares them.")


class SessionOutput(serializers.ModelSerializer[AgentSession]):
    """A session in a list."""

    company_name = serializers.CharField(source="company.name")
    mode = serializers.CharField(source="origin.mode")
    runbook_title = serializers.CharField(source="runbook.title", default=None, help_text="As its author has it now.")
    runbook_version = serializers.IntegerField(source="runbook_number", allow_null=True)
    started_by = serializers.CharField(source="started_by.user.display_name", default=None)
    model = serializers.CharField(source="model_label")

    class Meta:
        model = AgentSession
        fields: ClassVar[Any] = (
            "id",
            "signal",
            "company",
            "company_name",
            "state",
            "state_detail",
            "mode",
            "runbook",
            "runbook_title",
            "runbook_version",
            "started_by",
            "model",
            "rehearsal",
            "tokens_in",
            "tokens_out",
            "cost_microcents",
            "created_at",
            "changed_at",
            "ended_at",
        )


class ActionOutput(serializers.ModelSerializer[Action]):
    """One call of a tool: what was asked for, and what became of it. What the tool answered stays on the pages."""

    asked_by = serializers.CharField(source="proposed_by")

    class Meta:
        model = Action
        fields: ClassVar[Any] = (
            "id",
            "tool",
            "title",
            "category",
            "risk",
            "arguments",
            "state",
            "reason",
            "why_asked",
            "summary",
            "asked_by",
            "company",
            "created_at",
            "decided_at",
            "finished_at",
            "expires_at",
        )


class SessionDetailOutput(SessionOutput):
    """One session with what it asked for and the last words of the agent."""

    actions = ActionOutput(many=True)
    last_words = serializers.CharField(allow_blank=True, help_text="What the agent said last.")

    class Meta(SessionOutput.Meta):
        fields: ClassVar[Any] = (*SessionOutput.Meta.fields, "last_words", "actions")
