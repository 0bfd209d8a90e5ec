"""The form in which managers write a runbook."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission
from runbooks.models import Runbook


class TagsField(forms.CharField):
    """Words separated by commas, kept as a list."""

    def prepare_value(self, value: Any) -> Any:
        """The list as one line."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The line as a list without blanks and repeats."""
        words = [word.strip() for word in (super().to_python(value) or "").split(",")]
        return list(dict.fromkeys(filter(None, words)))


class RunbookForm(forms.ModelForm[Runbook]):
    """All that an author writes. `actor` is set by the admin for each request."""

    actor: ClassVar[Actor]

    tags = TagsField(required=False, widget=UnfoldAdminTextInputWidget, help_text="Separated by commas.")
    reason = forms.CharField(
        required=False,
        max_length=100,
        label="What changed",
        widget=UnfoldAdminTextInputWidget,
        help_text="For the next reader of the history.",
    )

    class Meta:
        model = Runbook
        fields = (
            "title",
            "description",
            "body",
            "category",
            "tags",
            "audience",
            "company",
            "inputs",
            "on_success",
        )
        widgets: ClassVar = {
            "body": UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "true", "class": "font-mono"}),
            "inputs": UnfoldAdminTextareaWidget(attrs={"rows": 6, "class": "font-mono"}),
        }
        help_texts: ClassVar = {
            "body": (
                "Markdown. Number the steps. A tool is mentioned as @vendor.verb_noun, with arguments in parentheses: "
                "@connectwise.add_internal_note(ticket_id=ticket.id, text=input.note). (ask) behind it keeps it under "
                "approval. A question to the technician: > [!DECISION] question, with a list of options below."
            ),
            "inputs": (
                'A list such as [{"name": "note", "label": "What to write", "type": "string"}]; types: string, email, '
                "number, select (with options), date, boolean."
            ),
        }

    def clean(self) -> dict[str, Any]:
        """An author who is limited to some companies writes for one of them."""
        cleaned: dict[str, Any] = super().clean() or {}
        where = cleaned.get("company") or self.actor.organization
        if "company" in cleaned and not self.actor.can(Permission.AUTHOR_RUNBOOKS, where):
            self.add_error("company", "You may write runbooks for single companies only: choose one.")
        return cleaned
