"""The form of one trigger in the admin: only the fields that its kind has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from pydantic import JsonValue

from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from junto.zones import zone_names
from runbooks.inputs import InputDeclaration
from runbooks.lacking import asked_now
from runbooks.models import Runbook, Trigger
from runbooks.triggers import MOST_GRACE, WITHOUT_TICKET, asked_of, save_trigger, trigger_problems
from runbooks.values import ValuesRefused, prefill, read_values
from signals.models import Board, Signal

Kind = Trigger.Kind

#: Fields of a trigger that are written as they stand, where its kind has them.
OWN_FIELDS: Final = ("type", "subtype", "alert_type", "cron", "time_zone", "grace_minutes")
#: Values that signals have, offered while a type is typed.
MOST_OFFERED = 200
#: Text fields of each kind, with label and help.
TEXTS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    Kind.CLASSIFICATION: (
        ("type", "Ticket type", "As the PSA names it. Capitals do not matter."),
        ("subtype", "Subtype", "Empty = any."),
    ),
    Kind.ALERT: (("alert_type", "Alert type", "As the monitoring posts it. Capitals do not matter."),),
    Kind.SCHEDULE: (
        ("cron", "When (cron)", "Minute, hour, day of month, month, weekday. Every Monday at three: 0 3 * * mon"),
        ("time_zone", "Time zone", "Whose clocks are meant, for example Europe/Berlin."),
    ),
    Kind.MANUAL: (),
}


class TriggerForm(forms.Form):
    """Reads and writes one trigger of a runbook."""

    def __init__(self, *args: Any, actor: Actor, trigger: Trigger, **kwargs: Any) -> None:
        self.actor, self.trigger, self.runbook = actor, trigger, trigger.runbook
        self.declared = asked_now(trigger.runbook)
        super().__init__(*args, **{**kwargs, "initial": _initial(trigger, self.declared)})
        for name, label, help_text in TEXTS[trigger.kind]:
            self.fields[name] = forms.CharField(
                label=label, help_text=help_text, required=False, max_length=120, widget=_text(f"{name}s")
            )
        if trigger.kind == Kind.SCHEDULE:
            self.fields["grace_minutes"] = forms.IntegerField(
                label="Begin late by at most, in minutes",
                help_text="A start that Junto missed by more, as it was not running, is skipped and told.",
                min_value=0,
                max_value=MOST_GRACE,
            )
        self._add_reach()
        if trigger.kind in WITHOUT_TICKET:
            for each in self.declared:
                self.fields[f"input_{each.name}"] = _input_field(each)

    def _add_reach(self) -> None:
        without = self.trigger.kind in WITHOUT_TICKET
        if self.runbook.company_id is None:
            self.fields["companies"] = forms.ModelMultipleChoiceField(
                queryset=_companies(self.actor),
                required=False,
                label="Companies",
                help_text="It begins once for each." if self.trigger.kind == Kind.SCHEDULE else "None chosen = all.",
                widget=forms.SelectMultiple(attrs={"size": 8}),
            )
        self.fields["board"] = forms.ModelChoiceField(
            queryset=Board.objects.visible_to(self.actor),
            required=False,
            label="Board of the ticket it opens" if without else "Only tickets of the board",
            empty_label="The company's usual one" if without else "Any board",
        )

    @property
    def offered(self) -> dict[str, list[str]]:
        """What is offered while somebody types, by the id of its list."""
        signals = Signal.objects.visible_to(self.actor).order_by()
        lists = {
            f"{name}s": _values(signals, name) for name in ("type", "subtype", "alert_type") if name in self.fields
        }
        return {**lists, "time_zones": list(zone_names())} if "time_zone" in self.fields else lists

    def clean(self) -> dict[str, Any]:
        """Everything that is wrong, each at its own field."""
        cleaned: dict[str, Any] = super().clean() or {}
        given: dict[str, JsonValue] = {
            name.removeprefix("input_"): _plain(value) for name, value in cleaned.items() if name.startswith("input_")
        }
        inputs: Mapping[str, JsonValue] = {}
        try:
            inputs = read_values(asked_of(self.trigger), given) if given else {}
        except ValuesRefused as refused:
            for name, words in refused.errors.items():
                self.add_error(f"input_{name}", words)
        self._find_problems(cleaned, inputs)
        return cleaned

    def _find_problems(self, cleaned: Mapping[str, Any], inputs: Mapping[str, JsonValue]) -> None:
        """Write what was filled in to the trigger, and find what is wrong with all of it together."""
        for name in (*OWN_FIELDS, "board"):
            if name in cleaned:
                setattr(self.trigger, name, cleaned[name])
        self.trigger.inputs = dict(inputs)
        for name, words in trigger_problems(self.trigger, list(cleaned.get("companies", ()))).items():
            # the values of inputs have fields of their own, where it is said already
            said = name in self.errors or (name == "inputs" and any(key.startswith("input_") for key in self.errors))
            if not said:
                self.add_error(name if name in self.fields else None, words)

    def save(self) -> bool:
        """Save the trigger; False, with the errors in the form, when it cannot be as it is."""
        try:
            save_trigger(actor=self.actor, trigger=self.trigger, companies=self.cleaned_data.get("companies", ()))
        except ValidationError as problem:
            for name, words in problem.message_dict.items():
                self.add_error(name if name in self.fields else None, words)
            return False
        return True


def _initial(trigger: Trigger, declared: Iterable[InputDeclaration]) -> dict[str, object]:
    known: dict[str, object] = {name: getattr(trigger, name) for name in (*OWN_FIELDS, "board")}
    values = dict(trigger.inputs)
    if trigger._state.adding:
        values = prefill(declared, None)
    else:
        known["companies"] = list(trigger.companies.all())
    return {**known, **{f"input_{name}": value for name, value in values.items()}}


def _input_field(declared: InputDeclaration) -> forms.Field:
    label = declared.label
    if declared.type == "boolean":
        return forms.BooleanField(label=label, required=False)
    if declared.type == "select":
        return forms.ChoiceField(
            label=label, required=False, choices=[("", "None"), *((o, o) for o in declared.options)]
        )
    return forms.CharField(label=label, required=False, max_length=500)


def _text(list_id: str) -> forms.TextInput:
    return forms.TextInput(attrs={"list": list_id, "autocomplete": "off"})


def _plain(value: object) -> JsonValue:
    return value if isinstance(value, bool) else str(value or "")


def _companies(actor: Actor) -> Any:
    """Those the actor may write runbooks for."""
    rows = Company.objects.visible_to(actor).order_by("name")
    return rows if actor.can(Permission.AUTHOR_RUNBOOKS) else rows.none()


def _values(signals: Any, field: str) -> list[str]:
    found = signals.exclude(**{field: ""}).values_list(field, flat=True).distinct().order_by(field)
    return list(found[:MOST_OFFERED])


def new_trigger(runbook: Runbook, kind: str) -> Trigger:
    """A trigger that is not saved yet. Raises ValueError for a kind there is not."""
    return Trigger(organization=runbook.organization, runbook=runbook, kind=Kind(kind))
