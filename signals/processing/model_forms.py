"""Forms made from a processor's options or value: one field for each flat field of the pydantic model."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

from django import forms
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

#: A field that may hold so many characters has lines.
_LONG_TEXT = 1000

M = TypeVar("M", bound=BaseModel)


class ModelForm(forms.Form):
    """Holds what `form_for` put into it."""


def form_for(
    model: type[BaseModel],
    held: BaseModel | None,
    data: Mapping[str, Any] | None = None,
    *,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> ModelForm:
    """A form with a field for each flat field of `model`, filled from `held`, else with its defaults.

    `choices` are offered for a text field, or to be ticked for one that holds several names.

    Fields that hold rows of their own (a list of people, say) are left out, and keep what `held` says. What the model
    has from a class above comes after its own.
    """
    form = ModelForm(data)
    own = list(vars(model).get("__annotations__", {}))
    order = {name: place for place, name in enumerate(own)}
    for name, info in sorted(model.model_fields.items(), key=lambda each: order.get(each[0], len(own))):
        field = _field(info, (choices or {}).get(name))
        if field is None:
            continue
        field.label = info.title or name.replace("_", " ").capitalize()
        field.help_text = info.description or ""
        if held is not None:
            field.initial = _initial(field, getattr(held, name))
        elif not info.is_required():
            field.initial = _initial(field, info.get_default(call_default_factory=True))
        elif isinstance(field, forms.ChoiceField):  # else the first one looks like what somebody chose
            field.choices = [("", "Choose one"), *cast(list[tuple[str, str]], field.choices)]
        form.fields[name] = field
    return form


def read_form(form: ModelForm, model: type[M], held: M | None) -> M | None:
    """What the form says over what `held` says; None with the form's errors where the model does not take it."""
    if not form.is_valid():
        return None
    said: dict[str, Any] = held.model_dump() if held is not None else {}
    for name, value in form.cleaned_data.items():
        several = get_origin(model.model_fields[name].annotation) is tuple
        said[name] = (tuple(value) if isinstance(value, list) else _listed(value)) if several else value
    try:
        return model.model_validate(said)
    except ValidationError as problems:
        for problem in problems.errors():
            place = str(problem["loc"][0]) if problem["loc"] else ""
            form.add_error(place if place in form.fields else None, problem["msg"].removeprefix("Value error, "))
        return None


def _initial(field: forms.Field, value: object) -> object:
    """What the field shows: names that are to be ticked as they are offered, others in one line."""
    if not isinstance(value, tuple):
        return value
    if isinstance(field, forms.MultipleChoiceField):
        held = {str(each).casefold() for each in value}
        return [name for name, _ in cast(list[tuple[str, str]], field.choices) if name.casefold() in held]
    return ", ".join(_quoted(str(each)) for each in value)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if "," in name or name.startswith('"') else name


def _listed(text: str) -> tuple[str, ...]:
    """The names of a line that are parted by commas; a name that has one stands in quotation marks."""
    try:
        [row] = list(csv.reader([" ".join(text.split())], skipinitialspace=True))
    except csv.Error:  # a name longer than any there is: whoever reads it says so
        row = text.split(",")
    return tuple(part for each in row if (part := each.strip()))


def _field(info: FieldInfo, choices: Sequence[str] | None) -> forms.Field | None:
    """The field of one annotation; None where a form has none for it."""
    kind = info.annotation
    is_words = get_origin(kind) is tuple and get_args(kind)[:1] == (str,)
    if is_words and choices is not None:
        boxes = forms.CheckboxSelectMultiple(attrs={"class": "check"})
        return forms.MultipleChoiceField(choices=[(each, each) for each in choices], required=False, widget=boxes)
    options = [str(each) for each in get_args(kind)] if get_origin(kind) is Literal else list(choices or ())
    if options:
        none = [] if info.is_required() or kind is not str else [("", "None")]
        words = [(each, each if kind is str else each.replace("_", " ").capitalize()) for each in options]
        return forms.ChoiceField(choices=[*none, *words], required=not none, widget=_select())
    if kind is bool:
        return forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs={"class": "check"}))
    if kind is float:
        return forms.FloatField(widget=forms.NumberInput(attrs={"class": "input", "step": "0.01"}), **_bounds(info))
    if kind is int:
        return forms.IntegerField(widget=forms.NumberInput(attrs={"class": "input"}), **_bounds(info))
    if kind is str and _longest(info) >= _LONG_TEXT:
        rows = forms.Textarea(attrs={"class": "input", "rows": 6})
        return forms.CharField(required=info.is_required(), widget=rows)
    if kind is str or is_words:
        return forms.CharField(required=info.is_required(), widget=forms.TextInput(attrs={"class": "input"}))
    return None


def _longest(info: FieldInfo) -> int:
    """The most characters that the model takes; 0 = no limit is set."""
    return max((most for rule in info.metadata if (most := getattr(rule, "max_length", None))), default=0)


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "input"})


def _bounds(info: FieldInfo) -> dict[str, Any]:
    """The least and the greatest that the model takes."""
    bounds: dict[str, Any] = {}
    for rule in info.metadata:
        if (least := getattr(rule, "ge", None)) is not None:
            bounds["min_value"] = least
        if (most := getattr(rule, "le", None)) is not None:
            bounds["max_value"] = most
    return bounds
