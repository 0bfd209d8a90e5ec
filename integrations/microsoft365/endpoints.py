"""The requests this client makes, by class, and the permission each takes. What is not listed here does not leave.

Source: Microsoft Graph 1.0, paths below the version. `TOKEN` is a path of the sign-in service, which is another host.
The permissions are application permissions, consented in the client's own tenant.
"""

from __future__ import annotations

from integrations.warrants import Endpoint, Traffic

TOKEN = Endpoint(Traffic.CONTROL, "POST", "/{tenant}/oauth2/v2.0/token")
LOGIN_ENDPOINTS: tuple[Endpoint, ...] = (TOKEN,)
"""The table of the sign-in service."""

PERMISSIONS: dict[Endpoint, str] = {}


def _listed(traffic: Traffic, method: str, template: str, permission: str) -> Endpoint:
    endpoint = Endpoint(traffic, method, template)
    PERMISSIONS[endpoint] = permission
    return endpoint


def _read(template: str, permission: str) -> Endpoint:
    return _listed(Traffic.READ, "GET", template, permission)


def _write(method: str, template: str, permission: str) -> Endpoint:
    return _listed(Traffic.WRITE, method, template, permission)


_METHODS = "UserAuthenticationMethod.ReadWrite.All"
_DEVICE_ACTIONS = "DeviceManagementManagedDevices.PrivilegedOperations.All"

ORGANIZATION = _read("/organization", "Organization.Read.All")
CUSTOMERS = _read("/tenantRelationships/delegatedAdminCustomers", "DelegatedAdminRelationship.Read.All")
DOMAINS = _read("/domains", "Domain.Read.All")
USERS = _read("/users", "User.Read.All")
USER = _read("/users/{user-id}", "User.Read.All")
MEMBER_OF = _read("/users/{user-id}/memberOf", "GroupMember.Read.All")
TRANSITIVE_MEMBER_OF = _read("/users/{user-id}/transitiveMemberOf", "GroupMember.Read.All")
SKUS = _read("/subscribedSkus", "LicenseAssignment.Read.All")
SIGN_INS = _read("/auditLogs/signIns", "AuditLog.Read.All")
AUDITS = _read("/auditLogs/directoryAudits", "AuditLog.Read.All")
AUTH_METHODS = _read("/users/{user-id}/authentication/methods", "UserAuthenticationMethod.Read.All")
RISKY_USERS = _read("/identityProtection/riskyUsers", "IdentityRiskyUser.Read.All")
INBOX_RULES = _read("/users/{user-id}/mailFolders/inbox/messageRules", "MailboxSettings.Read")
MAILBOX_SETTINGS = _read("/users/{user-id}/mailboxSettings", "MailboxSettings.Read")
MANAGED_DEVICES = _read("/deviceManagement/managedDevices", "DeviceManagementManagedDevices.Read.All")
MANAGED_DEVICE = _read("/deviceManagement/managedDevices/{managedDevice-id}", "DeviceManagementManagedDevices.Read.All")
ALERTS = _read("/security/alerts_v2", "SecurityAlert.Read.All")
GROUPS = _read("/groups", "Group.Read.All")
GROUP = _read("/groups/{group-id}", "Group.Read.All")
GROUP_MEMBERS = _read("/groups/{group-id}/members", "GroupMember.Read.All")

CREATE_USER = _write("POST", "/users", "User.ReadWrite.All")
CHANGE_USER = _write("PATCH", "/users/{user-id}", "User.ReadWrite.All and User-PasswordProfile.ReadWrite.All")
REVOKE_SESSIONS = _write("POST", "/users/{user-id}/revokeSignInSessions", "User.RevokeSessions.All")
ASSIGN_LICENSE = _write("POST", "/users/{user-id}/assignLicense", "LicenseAssignment.ReadWrite.All")
ADD_MEMBER = _write("POST", "/groups/{group-id}/members/$ref", "GroupMember.ReadWrite.All")
REMOVE_MEMBER = _write("DELETE", "/groups/{group-id}/members/{directoryObject-id}/$ref", "GroupMember.ReadWrite.All")
ISSUE_PASS = _write("POST", "/users/{user-id}/authentication/temporaryAccessPassMethods", _METHODS)
SET_MAILBOX = _write("PATCH", "/users/{user-id}/mailboxSettings", "MailboxSettings.ReadWrite")

REMOVE_METHOD: dict[str, Endpoint] = {
    kind: _write("DELETE", f"/users/{{user-id}}/authentication/{collection}/{{method-id}}", _METHODS)
    for kind, collection in (
        ("phone", "phoneMethods"),
        ("microsoftAuthenticator", "microsoftAuthenticatorMethods"),
        ("fido2", "fido2Methods"),
        ("softwareOath", "softwareOathMethods"),
        ("email", "emailMethods"),
        ("windowsHelloForBusiness", "windowsHelloForBusinessMethods"),
        ("temporaryAccessPass", "temporaryAccessPassMethods"),
    )
}
"""By the kind of method, as its type is called between `#microsoft.graph.` and `AuthenticationMethod`."""

DEVICE_ACTIONS: dict[str, Endpoint] = {
    action: _write("POST", f"/deviceManagement/managedDevices/{{managedDevice-id}}/{action}", _DEVICE_ACTIONS)
    for action in ("syncDevice", "rebootNow", "remoteLock")
}
"""Wiping and retiring a device is not among them: what they do cannot be undone, and one wrong id would be enough."""

GRAPH_ENDPOINTS: tuple[Endpoint, ...] = tuple(PERMISSIONS)
"""The table of Microsoft Graph."""

ENDPOINTS: tuple[Endpoint, ...] = (*LOGIN_ENDPOINTS, *GRAPH_ENDPOINTS)
"""The vendor's whole table, over both hosts."""
