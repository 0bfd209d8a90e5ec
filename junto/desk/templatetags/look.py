"""The few marks that every page repeats: icons, risk bars, initials, and times said in plain words."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

NOW: Final = 5
MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
BARS: Final = SafeString(
    '<svg viewBox="0 0 14 14" aria-hidden="true"><rect class="b1" x="1" y="8" width="3" height="5" rx="1"/>'
    '<rect class="b2" x="5.5" y="4.5" width="3" height="8.5" rx="1"/>'
    '<rect class="b3" x="10" y="1" width="3" height="12" rx="1"/></svg>'
)


@register.simple_tag
def icon(name: str, size: str = "", label: str = "", css: str = "") -> SafeString:
    """One drawing of static/junto/icons.svg. Without a label it is decoration and hidden from screen readers."""
    classes = " ".join(filter(None, ["i", "i-sm" if size == "sm" else "", css]))
    named = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="{}" {}><use href="{}#{}"/></svg>', classes, named, static("junto/icons.svg"), name or "dot"
    )


@register.simple_tag
def risk(level: str) -> SafeString:
    """Risk as one to three bars and always the word."""
    return format_html('<span class="risk" data-risk="{}">{}{}</span>', level, BARS, str(level).capitalize())


@register.filter
def initials(name: object) -> str:
    """'Mara Ek' -> 'ME'; something for every name, '?' for none."""
    parts = str(name or "").split()
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper() or "?"


@register.simple_tag
def when(moment: datetime | None) -> SafeString:
    """A moment as '4 min ago' or 'in 2 h'; the page keeps it true while it stays open. 'Never' where there is none."""
    if not moment:
        return SafeString('<span class="dim">Never</span>')
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) < NOW:
        return _time(moment, "since", "just now")
    if seconds < 0:
        ahead = ahead_in_words(-seconds)
        return _time(moment, "since", f"in {ahead}" if ahead else _date(moment))
    words = in_words(seconds)
    return _time(moment, "since", f"{words} ago" if words else _date(moment))


@register.simple_tag
def at(moment: datetime | None) -> SafeString:
    """A moment as '22 Nov 13:24 UTC'; the page shows it by the reader's own clock. Nothing where there is none."""
    if not moment:
        return SafeString("")
    return _time(moment, "at", f"{_date(moment)} {_clock(moment)} {timezone.localtime(moment):%Z}")


@register.simple_tag
def at_place(moment: datetime | None, zone: str) -> SafeString:
    """A moment as '22 Nov 14:24 Europe/Berlin', by the clock there whoever reads it. Nothing where there is none."""
    if not moment:
        return SafeString("")
    with timezone.override(ZoneInfo(zone)):
        return _time(moment, "", f"{_date(moment)} {_clock(moment)} {zone}")


@register.simple_tag
def ends(moment: datetime | None) -> SafeString:
    """A deadline as 'Ends 14:41, in 26 min', or 'Ended 14:41'."""
    if not moment:
        return SafeString("")
    left = (moment - timezone.now()).total_seconds()
    words = ahead_in_words(left) if left > 0 else ""
    if left <= 0:
        return _time(moment, "ends", f"Ended {_clock(moment)}")
    return _time(moment, "ends", f"Ends {_clock(moment)}, in {words}" if words else f"Ends {_date(moment)}")


@register.simple_tag
def left(moment: datetime | None) -> SafeString:
    """A deadline in a list: '9 min left', or 'Time is over'."""
    if not moment:
        return SafeString("")
    seconds = (moment - timezone.now()).total_seconds()
    return _time(
        moment, "left", f"{ahead_in_words(seconds) or 'more than 2 d'} left" if seconds > 0 else "Time is over"
    )


def in_words(seconds: float) -> str:
    """A span as '8 s', '26 min', '3 h' or '2 d'; empty beyond two days, where a date says more."""
    span = abs(int(seconds))
    for unit, limit, word in ((1, MINUTE, "s"), (MINUTE, HOUR, "min"), (HOUR, DAY, "h"), (DAY, 3 * DAY, "d")):
        if span < limit:
            return f"{span // unit} {word}"
    return ""


def ahead_in_words(seconds: float) -> str:
    """What is left of a span, to the nearest of its units: four hours less a second are '4 h'."""
    unit = next((unit for unit in (DAY, HOUR, MINUTE) if seconds >= unit), 1)
    return in_words(round(seconds / unit) * unit)


def _time(moment: datetime, tick: str, words: str) -> SafeString:
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}"{} title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        format_html(' data-tick="{}"', tick) if tick else "",
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        words,
    )


def _clock(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%H:%M")


def _date(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b}" if local.year == timezone.localtime().year else f"{local.day} {local:%b %Y}"
