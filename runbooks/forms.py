"""The form in which managers write a runbook."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.forms.widgets import Script
from django.http import QueryDict
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from runbooks.contents import CONTENT, Content
from runbooks.guards import may_read
from runbooks.models import Runbook, RunbookEdit
from runbooks.reconciling import (
    SCOPE,
    Answers,
    ContentMerge,
    Scope,
    Unanswered,
    merge_contents,
    read_answers,
    with_scope,
)
from runbooks.reviewing import newest_record

#: On the page that settles a save which met another one, what was typed stands under this and the field's name.
MINE = "mine-"
#: There: the history record that the page was made against.
AGAINST = "against"

#: The fields that are kept against a crash while somebody types.
KEPT_FIELDS = (
    *("title", "description", "body", "audience", "company", "category", "tags", "on_success", "inputs", "reason"),
)


class TagsField(forms.CharField):
    """Words separated by commas, kept as a list."""

    def prepare_value(self, value: Any) -> Any:
        """The list as one line."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The line as a list without blanks and repeats."""
        words = [word.strip() for word in (super().to_python(value) or "").split(",")]
        return list(dict.fromkeys(filter(None, words)))


class InputsField(forms.JSONField):
    """The declared inputs as JSON; what cannot be read stays as it was typed, and is said to be none."""

    def to_python(self, value: Any) -> Any:
        """Django's, which passes over what is nested too deeply or holds a number too long to be read."""
        try:
            return super().to_python(value)
        except (ValueError, RecursionError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": ""}) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, letter by letter."""
        return initial if self.disabled else InvalidJSONInput(data or "")


class RunbookForm(forms.ModelForm[Runbook]):
    """All that an author writes. The admin sets `actor`, and `kept` where somebody goes on with unsaved text."""

    actor: ClassVar[Actor]
    kept: ClassVar[RunbookEdit | None] = None

    tags = TagsField(required=False, widget=UnfoldAdminTextInputWidget, help_text="Separated by commas.")
    reason = forms.CharField(
        required=False,
        max_length=100,
        label="What changed",
        widget=UnfoldAdminTextInputWidget,
        help_text="For the next reader of the history.",
    )
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

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
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "body": UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "true", "class": "font-mono"}),
            "inputs": UnfoldAdminTextareaWidget(attrs={"rows": 6, "class": "font-mono"}),
        }
        field_classes: ClassVar = {"inputs": InputsField}
        labels: ClassVar = {"body": "Text", "inputs": "Required inputs"}
        help_texts: ClassVar = {
            "body": "Number the steps. Type @ to choose a tool.",
            "inputs": "What must be known before a run. The text uses an input as input.name.",
        }

    class Media:
        css: ClassVar = {"all": ["junto/tokens.css", "runbooks/editor.css", "runbooks/document.css"]}
        js: ClassVar = [Script("runbooks/editor.js", type="module")]

    #: A save by somebody else that this one meets, for the author to settle; and what they did not settle yet.
    meeting: ContentMerge | None = None
    unsettled: tuple[str, ...] = ()
    #: Who saved in between, where both saves could be joined.
    joined_with: str = ""

    def __init__(self, data: QueryDict | None = None, *args: Any, **kwargs: Any) -> None:
        self.settled: dict[str, str] = {}
        if data is not None and AGAINST in data:
            self.settled = {name: str(value) for name, value in data.items()}
            data = _as_typed(data)
        super().__init__(data, *args, **kwargs)
        runbook = None if self.instance._state.adding else self.instance
        latest = runbook.history.order_by("-history_id").first() if runbook else None
        self.initial["based_on"] = latest.history_id if latest else None
        if self.kept is not None:
            self.initial = {**self.initial, **_typed(self.kept)}
        # who may only read gets a form without fields
        if "body" in self.fields:
            self._name_paths(runbook)
            self._hold_scope(runbook)

    def _hold_scope(self, runbook: Runbook | None) -> None:
        """Show the company without a choice where it stays, whatever is posted or was kept."""
        if isinstance(self.fields["company"], forms.ModelChoiceField):
            self.fields["company"].empty_label = "All companies"
        reason = runbook.scope_stays if runbook else ""
        if runbook is not None and reason:
            self.fields["company"].disabled = True
            self.fields["company"].help_text = reason
            self.initial["company"] = runbook.company_id

    def _name_paths(self, runbook: Runbook | None) -> None:
        """Tell the editor in the browser whom to ask."""
        keep = reverse("admin:runbooks_runbook_keep", args=[runbook.pk]) if runbook else None
        self.fields["body"].widget.attrs |= {
            "data-runbook-editor": "",
            "data-tools-path": reverse("admin:runbooks_runbook_tools"),
            "data-check-path": reverse("admin:runbooks_runbook_check"),
            "data-images-path": reverse("admin:runbooks_runbook_images"),
            "data-keep-path": keep or reverse("admin:runbooks_runbook_keep_new"),
        }
        self.fields["inputs"].widget.attrs["data-input-rows"] = ""

    def clean(self) -> dict[str, Any]:
        """An author who is limited to some companies writes for one of them."""
        cleaned: dict[str, Any] = super().clean() or {}
        where = cleaned.get("company") or self.actor.organization
        if "company" in cleaned and not self.actor.can(Permission.AUTHOR_RUNBOOKS, where):
            self.add_error("company", "You may write runbooks for single companies only: choose one.")
        if not self.errors and not self.instance._state.adding:
            self._join(cleaned)
        return cleaned

    def _join(self, cleaned: dict[str, Any]) -> None:
        """Join with what was saved since this author opened the form; leave to them what both changed.

        The row is locked by now, so nobody saves in between (runbooks.admin_editor).
        """
        newest, based_on = newest_record(self.instance), cleaned.get("based_on")
        if based_on is None or based_on == newest:
            return
        base = self.instance.history.filter(history_id=based_on).first()
        if base is None or not may_read(self.actor, base.company_id):
            raise ValidationError("What you began from is no version of this runbook. Load the page again.")
        ours = Content(**{name: cleaned[name] for name in CONTENT} | {"tags": tuple(cleaned["tags"])})
        merge = with_scope(
            merge_contents(base=Content.of(base), ours=ours, theirs=Content.of(self.instance)),
            base=self._scope(base.company_id),
            ours=self._scope(cleaned["company"].pk if cleaned["company"] else None),
            theirs=self._scope(self.instance.company_id),
        )
        answers = Answers({}, [])
        if not merge.clean:
            try:
                answers = read_answers(self._answers_to(newest), merge)
            except Unanswered as error:
                self.meeting, self.unsettled = merge, error.names if self._answers_to(newest) else ()
                raise ValidationError(
                    "Somebody else saved it meanwhile, and some of your changes meet theirs."
                ) from error
        content = merge.resolved(answers)
        cleaned |= {name: getattr(content, name) for name in CONTENT} | {"tags": list(content.tags)}
        if merge.side_of(SCOPE, answers) == "theirs":
            cleaned["company"] = self.instance.company
        author = self.instance.history.latest("history_id").history_user
        self.joined_with = author.display_name if author else "Junto"

    def _scope(self, company_id: uuid.UUID | None) -> Scope:
        """A company as the page that settles names it."""
        if company_id is None:
            return None, "All companies"
        company = Company.objects.visible_to(self.actor).filter(pk=company_id).first()
        return company_id, company.name if company else "Another company"

    def _answers_to(self, record: int | None) -> dict[str, str]:
        """What the author settled, if it was against that record."""
        return self.settled if self.settled.get(AGAINST) == str(record) else {}


def _as_typed(data: QueryDict) -> QueryDict:
    """What was typed, out of the form that settles."""
    typed = data.copy()
    for name in (*KEPT_FIELDS, "based_on"):
        typed.pop(name, None)
        if f"{MINE}{name}" in data:
            typed[name] = data[f"{MINE}{name}"]  # type: ignore[assignment]  # of a QueryDict, always text
    return typed


def _typed(kept: RunbookEdit) -> dict[str, Any]:
    """Initial values of the form from what was typed and not saved."""
    typed = {name: kept.content[name] for name in KEPT_FIELDS if name in kept.content}
    if "inputs" in typed:
        typed["inputs"] = InvalidJSONInput(typed["inputs"])
    return {**typed, "based_on": kept.based_on}
