"""The forms in which Admins say when the agent starts by itself, and what it is always told."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from agent.instructions import INSTRUCTION_LIMIT
from agent.models import Instruction, StartRule


class StartRuleForm(forms.ModelForm[StartRule]):
    """One rule; its board is chosen once."""

    class Meta:
        model = StartRule
        fields = ("board", "mode")
        labels: ClassVar = {"mode": "The agent"}
        help_texts: ClassVar = {
            "board": "Tickets of this board follow the rule. Empty: those of every board without a rule of its own.",
            "mode": "Off: a person starts it. Prepare: it looks up and reports, and asks for nothing. "
            "Run: it prepares, and runs a published runbook for the AI agent where one fits the ticket.",
        }

    def clean(self) -> dict[str, Any]:
        """A board has one rule."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "board" in self.fields and "board" not in self.errors:
            board = cleaned.get("board")
            rules = StartRule.objects.for_organization(self.instance.organization).exclude(pk=self.instance.pk)
            if rules.filter(board=board).exists():
                whose = f"The board {board} has" if board else "All boards without one of their own have"
                raise ValidationError({"board": f"{whose} a rule already: change that one."})
        return cleaned


class InstructionForm(forms.ModelForm[Instruction]):
    """What is said to the agent; the company is chosen once."""

    text = forms.CharField(
        max_length=INSTRUCTION_LIMIT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text="In plain sentences, as to a new colleague: “Call them Harlow and Beck, never H&B.” "
        "“Nothing is restarted before 18:00.” It advises the agent; what must never happen is forbidden under "
        f"Tools and policies. Up to {INSTRUCTION_LIMIT:,} characters.",
    )

    class Meta:
        model = Instruction
        fields = ("company", "text")
        help_texts: ClassVar = {"company": "The agent is told it at this company. Empty: at every company."}

    def clean(self) -> dict[str, Any]:
        """A company has one instruction."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "company" in self.fields and "company" not in self.errors:
            company = cleaned.get("company")
            rows = Instruction.objects.for_organization(self.instance.organization).exclude(pk=self.instance.pk)
            if rows.filter(company=company).exists():
                whose = str(company) if company else "All companies"
                raise ValidationError({"company": f"{whose}: there is an instruction already. Change that one."})
        return cleaned
