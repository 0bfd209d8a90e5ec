"""Time zones as people may choose them. The list lies on disk, and is read once in a process."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> tuple[str, ...]:
    """Every name of a place that `zoneinfo.ZoneInfo` takes, sorted; not those that mean another on every machine."""
    return tuple(sorted(available_timezones() - {"localtime", "Factory", "posixrules"}))
