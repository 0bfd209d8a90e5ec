"""NinjaOne's tools. Importing this module declares them; contracts and tests read the list."""

from __future__ import annotations

from integrations.ninjaone import insides, reading, scripts, silence, upkeep
from integrations.tools import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    reading.list_devices,
    reading.find_device,
    reading.get_device,
    reading.device_alerts,
    reading.org_alerts,
    reading.device_activities,
    insides.device_storage,
    insides.device_software,
    insides.pending_patches,
    insides.last_user,
    insides.list_services,
    insides.list_scripts,
    scripts.run_script,
    scripts.control_service,
    upkeep.reboot_device,
    upkeep.scan_patches,
    upkeep.apply_patches,
    silence.set_maintenance,
    silence.reset_alert,
)
