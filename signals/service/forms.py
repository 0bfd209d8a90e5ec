"""Forms of the page on service levels: what a person typed becomes hours, holidays and targets, or an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, Final

from django import forms

from junto.zones import zone_names
from signals.models import Board, ServiceHours, ServiceTarget
from signals.service.hours import calendar_of
from signals.service.worktime import DAY_MINUTES, Hours

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_HOLIDAYS: Final = 400
#: What a moment of the day stands for that no clock shows: the end of the day.
_MIDNIGHT: Final = time(0, 0)


def _input(kind: str = "text", **more: object) -> forms.Widget:
    return forms.TextInput(attrs={"class": "input", "type": kind, **more})


class HoursForm(forms.Form):
    """When the organization works."""

    time_zone = forms.CharField(max_length=64, widget=_input(list="zones", autocomplete="off"))
    holidays = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"class": "input", "rows": 6, "placeholder": "2026-12-25 Christmas Day"}),
        help_text="One a line: the date, then its name.",
    )
    waiting_statuses = forms.CharField(
        required=False,
        label="Statuses in which the solution waits for somebody else",
        widget=_input(autocomplete="off", placeholder="Waiting on client, Waiting on vendor"),
        help_text="Parted by commas, as the PSA names them. The clock of the solution stands still meanwhile.",
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

    def __init__(self, data: Mapping[str, Any] | None = None, *, hours: ServiceHours) -> None:
        """Filled from `hours`."""
        days = calendar_of(hours).days
        initial = {
            "time_zone": hours.time_zone,
            "holidays": "\n".join(f"{day} {name}".strip() for day, name in hours.holidays.items()),
            "waiting_statuses": ", ".join(hours.waiting_statuses),
            "at_risk_percent": hours.at_risk_percent,
            "stale_days": hours.stale_days,
        }
        for number, day in enumerate(days):
            if day:
                initial |= {f"opens_{number}": _clock(day[0]), f"closes_{number}": _clock(day[1])}
        super().__init__(data, initial=initial)
        for number, name in enumerate(WEEKDAYS):
            for end, words in (("opens", "from"), ("closes", "until")):
                self.fields[f"{end}_{number}"] = forms.TimeField(
                    required=False, label=f"{name} {words}", widget=_input("time")
                )

    def weekdays(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Each weekday with its two fields."""
        return [(name, self[f"opens_{number}"], self[f"closes_{number}"]) for number, name in enumerate(WEEKDAYS)]

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

    def clean_waiting_statuses(self) -> list[str]:
        """The statuses, each once."""
        parts = [part.strip()[:80] for part in str(self.cleaned_data["waiting_statuses"]).split(",")]
        return list(dict.fromkeys(part for part in parts if part))

    def clean(self) -> dict[str, Any]:
        """Hours that begin before they end, or none."""
        said: dict[str, Any] = super().clean() or {}
        days: list[Hours] = []
        for number, name in enumerate(WEEKDAYS):
            opens, closes = said.get(f"opens_{number}"), said.get(f"closes_{number}")
            if opens is None and closes is None:
                days.append(None)
                continue
            if opens is None or closes is None:
                raise forms.ValidationError(f"{name} lacks one of its two times.")
            begin, end = _minutes(opens), _minutes(closes) if closes != _MIDNIGHT else DAY_MINUTES
            if begin >= end:
                raise forms.ValidationError(f"{name} ends before it begins; 00:00 as the end is midnight.")
            days.append((begin, end))
        if not any(days):
            raise forms.ValidationError("At least one day must be worked.")
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


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute
