"""People, groups and devices that a call may touch: looked up in the signal's own tenant, or refused (I7).

The tenant is the company's link, never an argument; its token opens no other. A record that is not in it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import JsonValue, StringConstraints

from integrations.errors import TargetRefused, ToolUnavailable, VendorNotFound
from integrations.microsoft365 import endpoints, schemas
from integrations.microsoft365.client import MicrosoftClient
from integrations.microsoft365.schemas_watch import Device
from integrations.microsoft365.tokens import LABEL
from integrations.tools import ToolContext
from integrations.warrants import Endpoint
from integrations.wire import Wire, record_of

_GUID = re.compile(schemas.GUID)
USER_FIELDS = (
    "id,displayName,userPrincipalName,mail,accountEnabled,userType,jobTitle,department,usageLocation,"
    "onPremisesSyncEnabled,assignedLicenses,licenseAssignmentStates,"
    "lastPasswordChangeDateTime,signInSessionsValidFromDateTime,createdDateTime"
)
GROUP_FIELDS = (
    "id,displayName,mail,description,groupTypes,mailEnabled,securityEnabled,onPremisesSyncEnabled,isAssignableToRole"
)

UserName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=3,
        max_length=150,
        pattern=r"^([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
    ),
]
"""A sign-in name, mail address or object id."""

Guid = Annotated[str, StringConstraints(pattern=schemas.GUID)]
"""An object id."""


M = TypeVar("M", bound=Wire)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One company's tenant, for one call."""

    client: MicrosoftClient
    id: str

    def get(self, model: type[M], endpoint: Endpoint, query: list[tuple[str, str]] | None = None, **segments: str) -> M:
        """One record."""
        return record_of(model, self.client.get(self.id, endpoint, query, **segments), label=LABEL)

    def rows(
        self, model: type[M], endpoint: Endpoint, query: list[tuple[str, str]] | None = None, **segments: str
    ) -> Iterator[M]:
        """All records of a list."""
        return self.client.rows(model, self.id, endpoint, query, **segments)

    def act(self, endpoint: Endpoint, body: JsonValue = None, **segments: str) -> JsonValue:
        """Send the one write."""
        return self.client.act(self.id, endpoint, body, **segments)


def tenant_of(context: ToolContext) -> Tenant:
    """The signal's company as Microsoft knows it. Raises ToolUnavailable."""
    if not isinstance(context.client, MicrosoftClient):
        raise ToolUnavailable("Microsoft 365 is not connected.")
    if not _GUID.match(context.company_external_id):
        raise ToolUnavailable(f"{context.company.name} is not linked to a tenant of Microsoft 365.")
    return Tenant(context.client, context.company_external_id.lower())


def user_of(context: ToolContext, name: str) -> schemas.User:
    """The account of that sign-in name, mail address or id, in the company's tenant.

    Raises:
        TargetRefused: there is none, or more than one.
    """
    found = find_account(context, name)
    if found is None:
        raise TargetRefused(f"{name} is not an account of {context.company.name} in Microsoft 365.")
    return found


def find_account(context: ToolContext, name: str) -> schemas.User | None:
    """The same; None where there is none."""
    tenant = tenant_of(context)
    if _GUID.match(name):
        try:
            user = tenant.get(schemas.User, endpoints.USER, [("$select", USER_FIELDS)], user_id=name)
        except VendorNotFound:
            return None
        return user if user.id.lower() == name.lower() else None
    asked = f"userPrincipalName eq {quoted(name)} or mail eq {quoted(name)}"
    rows = list(tenant.rows(schemas.User, endpoints.USERS, [("$filter", asked), ("$select", USER_FIELDS)]))
    word = name.casefold()
    # looked at once more: a filter that were ignored would give anybody
    named = [one for one in rows if one.upn.casefold() == word] or [one for one in rows if one.mail.casefold() == word]
    if len(named) > 1:
        raise TargetRefused(f"{name} stands for {len(named)} accounts of {context.company.name}: name one by its id.")
    return named[0] if named else None


def cloud_user_of(context: ToolContext, name: str) -> schemas.User:
    """An account that can be changed here. Raises TargetRefused for one that the local directory writes."""
    user = user_of(context, name)
    if user.synced:
        raise TargetRefused(
            f"{user.label} comes from the local directory of {context.company.name}: change it there, on a domain"
            " controller. What is changed in the cloud would be refused or written over."
        )
    return user


def administrator_words(memberships: Iterable[schemas.Member]) -> list[str]:
    """What makes somebody an administrator, in words; empty = nothing among these memberships."""
    found = [(one.name if one.is_role else f"by way of the group {one.name}", one) for one in memberships]
    return sorted(words for words, one in found if one.is_role or one.gives_roles)


def no_administrator(context: ToolContext, user: schemas.User) -> schemas.User:
    """The account, when it has no role of an administrator, neither itself nor by way of a group.

    A group that roles can be assigned to counts as one that has them: which, the vendor tells only to those who may
    read roles. Roles that somebody may take up for a time (Privileged Identity Management) are not seen before that.

    Source: Microsoft Graph 1.0, "List a user's memberships (direct and transitive)" and "Use Microsoft Entra groups to
    manage role assignments". Raises TargetRefused.
    """
    query = [("$select", "id,displayName,isAssignableToRole")]
    rows = tenant_of(context).rows(schemas.Member, endpoints.TRANSITIVE_MEMBER_OF, query, user_id=user.id)
    if roles := administrator_words(rows):
        raise TargetRefused(
            f"{user.label} is an administrator ({', '.join(roles)}): how administrators sign in is changed by two"
            " people together, in the admin centre."
        )
    return user


def group_of(context: ToolContext, name: str) -> schemas.Group:
    """The group of that name, address or id, in the company's tenant. Raises TargetRefused."""
    tenant = tenant_of(context)
    refused = TargetRefused(f"{name} is not a group of {context.company.name} in Microsoft 365.")
    select = ("$select", GROUP_FIELDS)
    if _GUID.match(name):
        try:
            group = tenant.get(schemas.Group, endpoints.GROUP, [select], group_id=name)
        except VendorNotFound:
            raise refused from None
        if group.id.lower() != name.lower():
            raise refused
        return group
    asked = f"displayName eq {quoted(name)} or mail eq {quoted(name)}"
    word = name.casefold()
    rows = [
        one
        for one in tenant.rows(schemas.Group, endpoints.GROUPS, [("$filter", asked), select])
        if word in (one.name.casefold(), one.mail.casefold())
    ]
    if not rows:
        raise refused
    if len(rows) > 1:
        raise TargetRefused(f"{context.company.name} has {len(rows)} groups called {name}: name one by its id.")
    return rows[0]


def device_of(context: ToolContext, device_id: str) -> Device:
    """The managed device, in the company's tenant. Raises TargetRefused."""
    try:
        device = tenant_of(context).get(Device, endpoints.MANAGED_DEVICE, managedDevice_id=device_id)
    except VendorNotFound:
        device = None
    if device is None or device.id.lower() != device_id.lower():
        raise TargetRefused(f"{device_id} is not a managed device of {context.company.name}.")
    return device


def user_state(context: ToolContext, user: schemas.User, **fields: JsonValue) -> dict[str, JsonValue]:
    """What a decision on this account rests on: whose it is, its name, and `fields`."""
    return {
        "company": {"id": tenant_of(context).id, "name": context.company.name},
        "user": {"id": user.id, "name": user.label},
        "sign_in_name": user.upn,
        **fields,
    }


def quoted(text: str) -> str:
    """Text as a filter holds it: in quotes, with those inside doubled."""
    return "'" + text.replace("'", "''") + "'"


def moment(told: datetime) -> str:
    """A moment of ours as filters hold it: UTC, to the second."""
    return told.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
