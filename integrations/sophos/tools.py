"""The tools of Sophos Central. Importing this module declares them; contracts and tests read the list."""

from __future__ import annotations

from integrations.sophos import containment, posture, reading, upkeep, verdicts
from integrations.tools import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    reading.list_endpoints,
    reading.get_endpoint,
    reading.list_alerts,
    reading.get_alert,
    reading.list_events,
    posture.isolation_status,
    posture.tamper_status,
    posture.account_health,
    posture.list_cases,
    upkeep.scan_endpoint,
    upkeep.check_update,
    containment.isolate_endpoint,
    containment.release_endpoint,
    verdicts.act_on_alert,
    verdicts.block_hash,
)
