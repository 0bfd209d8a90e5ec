"""Forms of the page on service levels: what a person typed becomes hours, holidays and targets, or an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django import forms

from junto.zones import zone_names
from signals.models import Board, ServiceHours, ServiceTarget
from signals.service.hours import MOST_SPANS, calendar_of, overlapping
from signals.service.statuses import Offered
from signals.service.worktime import DAY_MINUTES, Hours

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_HOLIDAYS: Final = 400
_LONGEST_STATUS: Final = 80
_NOT_READ: Final = "The PSA was not asked just now: here is what its tickets have, and what was chosen."
_NONE_KNOWN: Final = "The PSA was not asked just now, and no ticket has a status: type them below."
_GONE: Final = " (no status of the PSA)"
_CLOSES: Final = " (closes a ticket)"
#: `8:00-12:00`, with any dash.
_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—]\s*(\d{1,2}):(\d{2})")
_HOW: Final = "Write 08:00-17:00, with a break 08:00-12:00, 13:00-17:00, a night 22:00-06:00."


def _input(kind: str = "text", **more: object) -> forms.Widget:
    return forms.TextInput(attrs={"class": "input", "type": kind, **more})


class SpansField(forms.CharField):
    """Hours of one weekday as people type them."""

    def clean(self, value: Any) -> Hours:
        """The spans in their order; none for an empty field."""
        parts = [part.strip() for part in re.split(r"[,;]", str(super().clean(value)))]
        spans = tuple(sorted(_read_span(part) for part in parts if part))
        if len(spans) > MOST_SPANS:
            raise forms.ValidationError(f"At most {MOST_SPANS} spans a day.")
        return spans


class TickedField(forms.MultipleChoiceField):
    """Names to be ticked; one that was offered when the page was made, and is not now, still counts."""

    def valid_value(self, value: Any) -> bool:
        """Any name of a status's length."""
        return 0 < len(str(value).strip()) <= _LONGEST_STATUS


class HoursForm(forms.Form):
    """When the organization works."""

    time_zone = forms.CharField(max_length=64, widget=_input(list="zones", autocomplete="off"))
    holidays = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"class": "input", "rows": 6, "placeholder": "2026-12-25 Christmas Day"}),
        help_text="One a line: the date, then its name.",
    )
    waiting_statuses = TickedField(
        required=False,
        label="Statuses in which the solution waits for somebody else",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "check"}),
        help_text="The clock of the solution stands still meanwhile.",
    )
    other_statuses = forms.CharField(
        required=False,
        label="Other statuses in which it waits",
        widget=_input(autocomplete="off", placeholder="Waiting on client, Waiting on vendor"),
        help_text="Parted by commas, as the PSA names them.",
    )
    at_risk_percent = forms.IntegerField(
        label="At risk from, in percent of the time",
        min_value=1,
        max_value=99,
        widget=_input("number", min=1, max=99),
    )
    stale_days = forms.IntegerField(
        label="Stale after so many working days without a change",
        min_value=1,
        max_value=90,
        widget=_input("number", min=1, max=90),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, hours: ServiceHours, offered: Offered | None = None
    ) -> None:
        """Filled from `hours`; `offered` = the statuses to tick, besides those that `hours` has."""
        held = {str(name).casefold(): str(name) for name in hours.waiting_statuses}
        there = {name.casefold(): name for name in (offered.names if offered else ())}
        days = calendar_of(hours).days
        initial = {
            "time_zone": hours.time_zone,
            "holidays": "\n".join(f"{day} {name}".strip() for day, name in hours.holidays.items()),
            "waiting_statuses": [there.get(key, name) for key, name in held.items()],
            "at_risk_percent": hours.at_risk_percent,
            "stale_days": hours.stale_days,
        }
        initial |= {f"hours_{number}": spans_words(day) for number, day in enumerate(days)}
        super().__init__(data, initial=initial)
        self._offer(there, held, offered or Offered())
        for number, name in enumerate(WEEKDAYS):
            self.fields[f"hours_{number}"] = SpansField(
                required=False,
                label=name,
                max_length=100,
                widget=_input(autocomplete="off", spellcheck="false", placeholder="not worked"),
            )

    def _offer(self, there: Mapping[str, str], held: Mapping[str, str], offered: Offered) -> None:
        """By name. What is held and is no status any more, or closes a ticket, is offered too, and said to be that; so
        is what was just ticked."""
        field = self.fields["waiting_statuses"]
        assert isinstance(field, TickedField)
        ticked = field.widget.value_from_datadict(self.data, {}, self.add_prefix("waiting_statuses")) or ()
        known = {**held, **{str(name).casefold(): str(name) for name in ticked if field.valid_value(name)}, **there}
        closing = {name.casefold() for name in offered.closing}
        notes = {key: _CLOSES if key in closing else _GONE if offered.read else "" for key in known.keys() - there}
        field.choices = [(name, f"{name}{notes.get(key, '')}") for key, name in sorted(known.items())]
        if not offered.read:
            field.help_text = f"{field.help_text} {_NOT_READ if known else _NONE_KNOWN}"

    def weekdays(self) -> list[forms.BoundField]:
        """The field of each weekday."""
        return [self[f"hours_{number}"] for number in range(len(WEEKDAYS))]

    def others(self) -> list[forms.BoundField]:
        """The fields that are of no weekday."""
        return [self[name] for name in self.base_fields]

    def clean_time_zone(self) -> str:
        """A zone that there is."""
        name = str(self.cleaned_data["time_zone"]).strip()
        if name not in zone_names():
            raise forms.ValidationError("There is no such time zone; choose one such as Europe/Berlin.")
        return name

    def clean_holidays(self) -> dict[date, str]:
        """The days with their names."""
        found: dict[date, str] = {}
        for line in str(self.cleaned_data["holidays"]).splitlines():
            if not line.strip():
                continue
            day, _, name = line.strip().partition(" ")
            try:
                found[date.fromisoformat(day)] = name.strip()[:80]
            except ValueError:
                raise forms.ValidationError(f"“{line.strip()[:60]}” does not begin with a date.") from None
        if len(found) > MOST_HOLIDAYS:
            raise forms.ValidationError(f"At most {MOST_HOLIDAYS} days.")
        return found

    def clean_other_statuses(self) -> list[str]:
        """The statuses that were typed."""
        parts = [part.strip()[:_LONGEST_STATUS] for part in str(self.cleaned_data["other_statuses"]).split(",")]
        return [part for part in parts if part]

    def clean(self) -> dict[str, Any]:
        """Hours that do not overlap, on one day at least."""
        said: dict[str, Any] = super().clean() or {}
        statuses = [*said.get("waiting_statuses", ()), *said.pop("other_statuses", ())]
        said["waiting_statuses"] = list({name.casefold(): name for name in reversed(statuses)}.values())[::-1]
        names = [f"hours_{number}" for number in range(len(WEEKDAYS))]
        if any(name in self.errors for name in names):
            return said
        days: list[Hours] = [said[name] for name in names]
        if not any(days):
            raise forms.ValidationError("At least one day must be worked.")
        wrong = overlapping(days)
        if wrong is not None:
            following = WEEKDAYS[(wrong + 1) % len(WEEKDAYS)]
            words = f"These hours overlap, or run into those of {following}: a night belongs to the day it begins on."
            self.add_error(names[wrong], words)
        said["days"] = days
        return said


class TargetForm(forms.Form):
    """How soon tickets of a board and priority are answered and solved."""

    board = forms.ChoiceField(required=False, widget=forms.Select(attrs={"class": "input"}))
    priority = forms.ChoiceField(required=False, widget=forms.Select(attrs={"class": "input"}))
    response_hours = forms.FloatField(
        required=False,
        label="Answered within, hours",
        min_value=0.02,
        max_value=8784,
        widget=_input("number", step="any"),
    )
    resolution_hours = forms.FloatField(
        required=False,
        label="Solved within, hours",
        min_value=0.02,
        max_value=8784,
        widget=_input("number", step="any"),
    )
    clock = forms.ChoiceField(
        choices=[("working", "Working hours"), ("always", "Around the clock")],
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, boards: Sequence[Board], priorities: Sequence[str]
    ) -> None:
        """Offers what the organization's tickets have."""
        super().__init__(data)
        offered = {
            "board": [("", "All boards"), *((str(board.pk), board.name) for board in boards)],
            "priority": [("", "All priorities"), *((name, name) for name in priorities)],
        }
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def minutes(self, name: str) -> int | None:
        """A field in hours, as whole minutes; None where it was left empty."""
        hours: float | None = self.cleaned_data[name]
        return None if hours is None else max(round(hours * 60), 1)


def hours_words(minutes: int | None) -> str:
    """`4 h`, `1 h 30 min`; empty for none."""
    if minutes is None:
        return ""
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{rest} min" if rest else ""]))


def target_words(target: ServiceTarget) -> tuple[str, str]:
    """Its board and its priority, as people read them."""
    return target.board.name if target.board else "All boards", target.priority or "All priorities"


def spans_words(hours: Hours) -> str:
    """`08:00-12:00, 13:00-17:00`, as the field takes them; empty for a day that is not worked."""
    return ", ".join(f"{_clock(opens)}-{_clock(closes)}" for opens, closes in hours)


def _clock(minutes: int) -> str:
    if minutes == DAY_MINUTES:
        return "24:00"
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _read_span(text: str) -> tuple[int, int]:
    """Raises ValidationError, in words that say how it is written."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise forms.ValidationError(f"“{text[:40]}” is not understood. {_HOW}")
    begins, ends = ((int(found[hour]), int(found[hour + 1])) for hour in (1, 3))
    if begins >= (24, 0) or ends > (24, 0) or begins[1] > 59 or ends[1] > 59:
        raise forms.ValidationError(f"“{text[:40]}” names a time that no clock shows.")
    opens, closes = (hour * 60 + minute for hour, minute in (begins, ends))
    if opens == closes:
        raise forms.ValidationError(f"“{text[:40]}” ends as it begins; a whole day is 00:00-24:00.")
    return opens, closes if closes > opens else closes + DAY_MINUTES
