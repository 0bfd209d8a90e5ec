"""Time zones as people may choose them. The list lies on disk, and is read once in a process."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> tuple[str, ...]:
    """Every name that `zoneinfo.ZoneInfo` takes, sorted."""
    return tuple(sorted(available_timezones()))
