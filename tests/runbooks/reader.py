"""Another process that matches: `python -m tests.runbooks.reader SIGNAL`.

For every line it reads it prints, as JSON, the title and version of the best runbook above the line, or null.
"""

from __future__ import annotations

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from runbooks.matching import match_signal  # noqa: E402
from signals.models import Signal  # noqa: E402


def best(signal_id: str) -> list[str | int] | None:
    """What the agent of this process would follow now."""
    signal = Signal.unscoped.select_related("organization").get(pk=signal_id)
    return next(([match.title, match.version] for match in match_signal(signal) if match.above_threshold), None)


if __name__ == "__main__":
    for _ in sys.stdin:
        print(json.dumps(best(sys.argv[1])), flush=True)
