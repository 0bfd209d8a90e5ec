"""Every tool of Microsoft 365. Importing this module declares them; contracts and tests read the list."""

from __future__ import annotations

from integrations.microsoft365 import access, accounts, mailbox, passwords, reading, watching
from integrations.tools import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    reading.find_user,
    reading.get_user,
    reading.find_group,
    reading.license_pool,
    reading.auth_methods,
    reading.inbox_rules,
    watching.sign_ins,
    watching.audit_log,
    watching.risky_users,
    watching.managed_devices,
    watching.security_alerts,
    accounts.create_user,
    accounts.set_account_enabled,
    accounts.revoke_sessions,
    passwords.reset_password,
    passwords.temporary_access_pass,
    passwords.remove_mfa_method,
    access.assign_license,
    access.change_group_member,
    mailbox.set_auto_reply,
    mailbox.device_action,
)
