"""The page of maintenance windows, for those who manage integrations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from integrations.models import Device
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from signals.intake.alert_boards_pages import alert_boards_card
from signals.intake.maintenance import WindowRefused, end_window, plan_window
from signals.models import MaintenanceWindow
from signals.service.hours import hours_of, zone_of
from signals.write_back.cleared_pages import cleared_card

PAST_SHOWN = 20
_LENGTH = timedelta(hours=2)
_MOMENT = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Line:
    """One window. `held` = alerts that it keeps quiet now, or kept quiet; `stood` = how many of them stood when it
    ended, None where it has not ended or nobody counted.
    """

    window: MaintenanceWindow
    word: str
    tone: str
    icon: str
    held: int
    stood: int | None
    end_path: str
    end_word: str


class WallTimeField(forms.DateTimeField):
    """A time as the clocks of the current zone show it. Of an hour that comes twice it is the first, or with `later`
    the second; one that the clocks leave out counts as the one after it.
    """

    def __init__(self, *, later: bool = False, label: str) -> None:
        super().__init__(label=label, input_formats=[_MOMENT])
        self._later = later

    def to_python(self, value: str | datetime | date | None) -> datetime | None:
        """The moment. Raises ValidationError."""
        with timezone.override(UTC):
            told = super().to_python(value)
        if told is None:
            return None
        zone = timezone.get_current_timezone()
        first = told.replace(tzinfo=zone, fold=0)
        is_left_out = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != told.replace(tzinfo=None)
        return (first if is_left_out else first.replace(fold=int(self._later))).astimezone(UTC)


class WindowForm(forms.Form):
    """What is kept quiet, from when to when (in the current time zone), and why."""

    company = forms.ModelChoiceField(Company.objects.none(), empty_label="Choose a company")
    device = forms.CharField(
        required=False, max_length=200, help_text="The name of one device of it. Empty: all its devices."
    )
    starts_at = WallTimeField(label="From")
    ends_at = WallTimeField(label="Until", later=True)
    reason = forms.CharField(max_length=200, label="What is done")

    def __init__(self, data: object = None, *, actor: Actor) -> None:
        now = timezone.localtime().replace(second=0, microsecond=0)
        initial = {"starts_at": now.strftime(_MOMENT), "ends_at": (now + _LENGTH).strftime(_MOMENT)}
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self._actor = actor
        self.fields["company"].queryset = Company.objects.visible_to(actor)  # type: ignore[attr-defined]
        for name in ("starts_at", "ends_at"):
            self.fields[name].label = f"{self.fields[name].label} ({timezone.get_current_timezone_name()})"
        for name, field in self.fields.items():
            field.widget.attrs |= {"class": "input", "autocomplete": "off"}
            if name.endswith("_at"):
                field.widget.input_type = "datetime-local"

    def clean(self) -> dict[str, object]:
        """The device must be one of the company."""
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        name, company = str(cleaned.get("device") or "").strip(), cleaned.get("company")
        cleaned["found"] = None
        if name and isinstance(company, Company):
            rows = Device.objects.visible_to(self._actor).filter(company=company, gone_at=None, name__iexact=name)
            cleaned["found"] = rows.first()
            if cleaned["found"] is None:
                self.add_error("device", ValidationError(f"{company.name} has no device of this name."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def maintenance(request: MemberRequest) -> HttpResponse:
    """The windows that are open, planned and past, and the form for another."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    with timezone.override(zone_of(hours_of(request.actor.organization).time_zone)):
        return _maintenance(request)


def _maintenance(request: MemberRequest) -> HttpResponse:
    """The page, with its times as the organization's clocks show them."""
    form = WindowForm(request.POST if request.method == "POST" else None, actor=request.actor)
    if request.method == "POST" and form.is_valid() and _planned(request.actor, form):
        messages.success(request, "The maintenance window is set.")
        return redirect("maintenance")
    rows = MaintenanceWindow.objects.visible_to(request.actor).select_related("company", "device", "set_by__user")
    rows = rows.annotate(quiet=Count("held"))
    coming = Q(ends_at__gt=timezone.now(), settled_at=None)
    context = {
        "coming": [_line(window) for window in rows.filter(coming).order_by("starts_at")],
        "past": [_line(window) for window in rows.exclude(coming)[:PAST_SHOWN]],
        "form": form,
        "zone": timezone.get_current_timezone_name(),
        **alert_boards_card(request.actor.organization),
        **cleared_card(request.actor.organization),
    }
    return render(request, "signals/maintenance.html", context, status=400 if form.errors else 200)


@require_POST
def end(request: MemberRequest, window_id: UUID) -> HttpResponse:
    """End a window now."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    window = MaintenanceWindow.objects.visible_to(request.actor).select_related("organization").filter(pk=window_id)
    found = window.first()
    if found is None:
        raise Http404("There is no such window.")
    number = end_window(actor=request.actor, window=found)
    found.refresh_from_db()
    still = f" {number} {'alert stands' if number == 1 else 'alerts stand'} still." if number else ""
    what = "called off" if found.was_called_off else "over"
    messages.success(request, f"The maintenance window is {what}.{still}")
    return redirect("maintenance")


def _planned(actor: Actor, form: WindowForm) -> bool:
    """Whether it is stored; what is wrong stands on the form."""
    cleaned = form.cleaned_data
    try:
        plan_window(
            actor=actor,
            company=cleaned["company"],
            device=cleaned["found"],
            starts_at=cleaned["starts_at"],
            ends_at=cleaned["ends_at"],
            reason=cleaned["reason"],
        )
    except WindowRefused as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _line(window: MaintenanceWindow) -> Line:
    now = timezone.now()
    word, tone, icon = ("Called off", "", "ban") if window.was_called_off else ("Over", "", "ok")
    is_coming = window.ends_at > now and window.settled_at is None
    if is_coming:
        word, tone, icon = ("Planned", "", "clock") if window.starts_at > now else ("Quiet now", "warn", "pause")
    return Line(
        window=window,
        word=word,
        tone=tone,
        icon=icon,
        held=getattr(window, "quiet", 0) if window.kept_quiet is None else window.kept_quiet,
        stood=window.stood_at_end,
        end_path=reverse("maintenance-end", args=[window.pk]) if is_coming else "",
        end_word="Call off" if window.starts_at > now else "End now",
    )
