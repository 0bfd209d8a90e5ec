"""The requests this client makes, by class. What is not listed here does not leave.

Source: the vendor's public API 2.0, paths below the host.
"""

from __future__ import annotations

from integrations.warrants import Endpoint, Traffic


def _read(template: str) -> Endpoint:
    return Endpoint(Traffic.READ, "GET", template)


TOKEN = Endpoint(Traffic.CONTROL, "POST", "/ws/oauth/token")
CONFIGURE_WEBHOOK = Endpoint(Traffic.CONTROL, "PUT", "/v2/webhook", set_up=True)
DISABLE_WEBHOOK = Endpoint(Traffic.CONTROL, "DELETE", "/v2/webhook", set_up=True)

ORGANIZATIONS = _read("/v2/organizations")
ORGANIZATION_DEVICES = _read("/v2/organization/{id}/devices")
DEVICES = _read("/v2/devices")
SEARCH_DEVICES = _read("/v2/devices/search")
DEVICE = _read("/v2/device/{id}")
ALERTS = _read("/v2/alerts")
DEVICE_ALERTS = _read("/v2/device/{id}/alerts")
ACTIVITIES = _read("/v2/device/{id}/activities")
VOLUMES = _read("/v2/device/{id}/volumes")
DISKS = _read("/v2/device/{id}/disks")
SOFTWARE = _read("/v2/device/{id}/software")
OS_PATCHES = _read("/v2/device/{id}/os-patches")
LAST_USER = _read("/v2/device/{id}/last-logged-on-user")
SERVICES = _read("/v2/device/{id}/windows-services")
SCRIPTING = _read("/v2/device/{id}/scripting/options")
OPERATING_SYSTEMS = _read("/v2/queries/operating-systems")
COMPUTER_SYSTEMS = _read("/v2/queries/computer-systems")

RUN_SCRIPT = Endpoint(Traffic.WRITE, "POST", "/v2/device/{id}/script/run")
CONTROL_SERVICE = Endpoint(Traffic.WRITE, "POST", "/v2/device/{id}/windows-service/{serviceId}/control")
REBOOT = Endpoint(Traffic.WRITE, "POST", "/v2/device/{id}/reboot/{mode}")
SCAN_PATCHES = Endpoint(Traffic.WRITE, "POST", "/v2/device/{id}/patch/os/scan")
APPLY_PATCHES = Endpoint(Traffic.WRITE, "POST", "/v2/device/{id}/patch/os/apply")
SET_MAINTENANCE = Endpoint(Traffic.WRITE, "PUT", "/v2/device/{id}/maintenance")
RESET_ALERT = Endpoint(Traffic.WRITE, "POST", "/v2/alert/{uid}/reset")

ENDPOINTS: tuple[Endpoint, ...] = (
    TOKEN,
    CONFIGURE_WEBHOOK,
    DISABLE_WEBHOOK,
    ORGANIZATIONS,
    ORGANIZATION_DEVICES,
    DEVICES,
    SEARCH_DEVICES,
    DEVICE,
    ALERTS,
    DEVICE_ALERTS,
    ACTIVITIES,
    VOLUMES,
    DISKS,
    SOFTWARE,
    OS_PATCHES,
    LAST_USER,
    SERVICES,
    SCRIPTING,
    OPERATING_SYSTEMS,
    COMPUTER_SYSTEMS,
    RUN_SCRIPT,
    CONTROL_SERVICE,
    REBOOT,
    SCAN_PATCHES,
    APPLY_PATCHES,
    SET_MAINTENANCE,
    RESET_ALERT,
)
"""The vendor's whole table."""

PERMISSIONS: dict[Endpoint, str] = {
    **{endpoint: "Scope Monitoring" for endpoint in ENDPOINTS if endpoint.traffic is Traffic.READ},
    **dict.fromkeys((SET_MAINTENANCE, RESET_ALERT), "Scope Management"),
    **dict.fromkeys((CONTROL_SERVICE, REBOOT, SCAN_PATCHES, APPLY_PATCHES), "Scope Control"),
    RUN_SCRIPT: "Scope Control with a technician's consent",
}
"""The scope of the client app, by what is asked with it."""
