"""The shape of what a source says: fields by name, texts, lists of bounded length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from signals.intake.cleaning import storable
from signals.intake.columns import WORD_LENGTH

NO_MOMENT = "This must be a moment as 2026-11-21T14:05:00Z."
_NO_OBJECT = "This must be an object; {datatype} came."
_JSON_WORDS = {"str": "text", "int": "a number", "float": "a number", "bool": "true or false", "list": "a list"}


class ForeignInput(serializers.Serializer[None]):
    """What a source says: null means empty, and a field nobody knows is refused rather than lost without a word."""

    default_error_messages: ClassVar[dict[str, Any]] = {"null": _NO_OBJECT.format(datatype="nothing")}

    def to_internal_value(self, data: object) -> dict[str, object]:
        """The validated fields. Raises ValidationError that names the field."""
        if not isinstance(data, Mapping):
            came = type(data).__name__
            raise serializers.ValidationError(_NO_OBJECT.format(datatype=_JSON_WORDS.get(came, came)))
        unknown = next((name for name in data if name not in self.fields), None)
        if unknown is not None:
            known = ", ".join(self.fields)
            raise serializers.ValidationError({unknown[:WORD_LENGTH]: f"There is no such field. Known are: {known}."})
        found: dict[str, object] = {}
        errors: dict[str, Any] = {}
        # DRF's own loop asks every field about what was not even sent, which took half of the time
        for name, shape in self.fields.fields.items():
            try:
                if data.get(name) is not None:
                    found[name] = shape.run_validation(data[name])
                elif shape.required:
                    shape.fail("required")
                elif shape.default is not serializers.empty:
                    found[name] = shape.get_default()
            except serializers.ValidationError as error:
                errors[name] = error.detail
        if errors:
            raise serializers.ValidationError(errors)
        return found


class BoundedList(serializers.ListField):
    """A list whose length is looked at before anything in it."""

    default_error_messages: ClassVar[dict[str, Any]] = {"not_a_list": "This must be a list."}

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def to_internal_value(self, data: Any) -> list[Any]:
        """The validated elements; nulls are left out."""
        if isinstance(data, list) and len(data) > self.most:
            raise serializers.ValidationError(f"{len(data):,} are too many, the limit is {self.most:,}.")
        found: list[Any] = super().to_internal_value(
            [each for each in data if each is not None] if isinstance(data, list) else data
        )
        return found


class Moment(serializers.DateTimeField):
    """A moment; one without a zone is taken as UTC."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": NO_MOMENT,
        "overflow": "This moment is outside the calendar.",
    }


class Text(serializers.CharField):
    """A text. What no database holds is looked for in one go: DRF looks at each character, a tenth of a delivery."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "This must be a text."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        slow = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)
        self.validators = [*(one for one in self.validators if not isinstance(one, slow)), _refuse_unstorable]

    def to_internal_value(self, data: Any) -> str:
        """The text; a whole number counts as one. Raises ValidationError, for a fraction too: 12.50 came as 12.5."""
        if isinstance(data, float):
            raise serializers.ValidationError("This must be a text or a whole number. Put quotes around it.")
        found: str = super().to_internal_value(data)
        return found

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The text; one that is fine as it came, nearly every one, is not asked about by all of DRF's rules."""
        if type(data) is str and data and data.strip() == data and storable(data) == data:
            return data
        return super().run_validation(data)


def _refuse_unstorable(text: str) -> None:
    if storable(text) != text:
        raise serializers.ValidationError("NUL and surrogate characters are not allowed.")


def words(**kwargs: Any) -> Text:
    """A text that may be left out; empty then."""
    return Text(required=False, allow_blank=True, default="", trim_whitespace=False, **kwargs)
