"""The requests this client makes, by class. What is not listed here does not leave.

Source: the vendor's public APIs. Signing in goes to the identity server, `/whoami` and the lists of tenants to the
global one, everything else to the server of the tenant's data region.
"""

from __future__ import annotations

from integrations.warrants import Endpoint, Traffic


def _read(template: str) -> Endpoint:
    return Endpoint(Traffic.READ, "GET", template)


TOKEN = Endpoint(Traffic.CONTROL, "POST", "/api/v2/oauth2/token")
WHOAMI = Endpoint(Traffic.CONTROL, "GET", "/whoami/v1")

PARTNER_TENANTS = _read("/partner/v1/tenants")
PARTNER_TENANT = _read("/partner/v1/tenants/{tenantId}")
ORGANIZATION_TENANTS = _read("/organization/v1/tenants")
ORGANIZATION_TENANT = _read("/organization/v1/tenants/{tenantId}")

LOCATING = (PARTNER_TENANT, ORGANIZATION_TENANT)
"""What finds out where a tenant lives: every tool needs one of them, by the kind of the credentials."""

LIST_COMPUTERS = _read("/endpoint/v1/endpoints")
COMPUTER = _read("/endpoint/v1/endpoints/{endpointId}")
ISOLATION = _read("/endpoint/v1/endpoints/{endpointId}/isolation")
TAMPER_PROTECTION = _read("/endpoint/v1/endpoints/{endpointId}/tamper-protection")
LIST_ALERTS = _read("/common/v1/alerts")
ALERT = _read("/common/v1/alerts/{alertId}")
EVENTS = _read("/siem/v1/events")
CASES = _read("/cases/v1/cases")
HEALTH_CHECK = _read("/account-health-check/v1/health-check")
BLOCKED_ITEMS = _read("/endpoint/v1/settings/blocked-items")

SET_ISOLATION = Endpoint(Traffic.WRITE, "PATCH", "/endpoint/v1/endpoints/{endpointId}/isolation")
SCAN = Endpoint(Traffic.WRITE, "POST", "/endpoint/v1/endpoints/{endpointId}/scans")
CHECK_UPDATE = Endpoint(Traffic.WRITE, "POST", "/endpoint/v1/endpoints/{endpointId}/update-checks")
ACT_ON_ALERT = Endpoint(Traffic.WRITE, "POST", "/common/v1/alerts/{alertId}/actions")
BLOCK_ITEM = Endpoint(Traffic.WRITE, "POST", "/endpoint/v1/settings/blocked-items")

ENDPOINTS: tuple[Endpoint, ...] = (
    TOKEN,
    WHOAMI,
    PARTNER_TENANTS,
    PARTNER_TENANT,
    ORGANIZATION_TENANTS,
    ORGANIZATION_TENANT,
    LIST_COMPUTERS,
    COMPUTER,
    ISOLATION,
    TAMPER_PROTECTION,
    LIST_ALERTS,
    ALERT,
    EVENTS,
    CASES,
    HEALTH_CHECK,
    BLOCKED_ITEMS,
    SET_ISOLATION,
    SCAN,
    CHECK_UPDATE,
    ACT_ON_ALERT,
    BLOCK_ITEM,
)
"""The vendor's whole table."""

PERMISSIONS: dict[Endpoint, str] = {
    endpoint: "Service Principal Management" if endpoint.traffic is Traffic.WRITE else "Service Principal Read-Only"
    for endpoint in ENDPOINTS
}
"""The least role of the API credential, by what is asked with it."""
