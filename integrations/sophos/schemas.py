"""Sophos Central's records, as far as they are used: fields not named here are ignored, absent ones have defaults.

What is ignored never comes further than here: the passwords of tamper protection are such a field. Lists of values
(health, severities, actions) are taken as text, as the vendor adds to them. Moments are ISO text; one without a zone
is meant in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import Field, JsonValue

from integrations.wire import ApiCredentials, Secret, Wire

PARTNER, ORGANIZATION, TENANT = "partner", "organization", "tenant"
"""The kinds of credentials there are, as the vendor calls them."""


class Credentials(ApiCredentials):
    """What an API credential consists of."""

    client_id: str = Field(min_length=1, max_length=120, pattern=r"^[!-~]+$")
    client_secret: Secret


class Token(Wire):
    """The answer of the identity server; `expires_in` in seconds."""

    access_token: str = Field(min_length=1)
    expires_in: float = 3600.0


class Hosts(Wire):
    """Servers; the one of the data region is told to the credentials of a single tenant only."""

    data_region: str = Field("", alias="dataRegion")


class WhoAmI(Wire):
    """Whose the credentials are: a partner's, an organization's or one tenant's."""

    id: str = Field(min_length=1)
    kind: str = Field(alias="idType")
    hosts: Hosts = Field(Hosts(), alias="apiHosts")


class Named(Wire):
    """Something by its id, and its name where the vendor tells it."""

    id: str = ""
    name: str = ""


class Tenant(Wire):
    """A client of the MSP. `api_host` is empty while it is being set up."""

    id: str = Field(min_length=1)
    name: str = ""
    shown_as: str = Field("", alias="showAs")
    region: str = Field("", alias="dataRegion")
    api_host: str = Field("", alias="apiHost")


class Status(Wire):
    """A state in one word."""

    status: str = ""


class Service(Wire):
    """One service of the agent."""

    name: str = ""
    status: str = ""


class Services(Wire):
    """The services of the agent, and how they are altogether."""

    status: str = ""
    details: tuple[Service, ...] = Field((), alias="serviceDetails")


class Health(Wire):
    """How a computer is: good, suspicious, bad or unknown."""

    overall: str = ""
    threats: Status = Status()
    services: Services = Services()


class System(Wire):
    """An operating system."""

    name: str = ""
    platform: str = ""
    is_server: bool = Field(False, alias="isServer")
    build: int = 0


class Person(Wire):
    """Who uses a computer."""

    name: str = ""
    login: str = Field("", alias="viaLogin")


class Product(Wire):
    """A part of the agent."""

    code: str = ""
    version: str = ""
    status: str = ""


class Isolated(Wire):
    """Whether a computer is cut off: by an admin, or by itself because of its health."""

    status: str = ""
    by_admin: bool = Field(False, alias="adminIsolated")
    by_itself: bool = Field(False, alias="selfIsolated")


class Computer(Wire):
    """A computer or server with the agent; the vendor calls it an endpoint."""

    id: str = Field(min_length=1)
    kind: str = Field("", alias="type")
    tenant: Named = Named()
    hostname: str = ""
    health: Health = Health()
    system: System = Field(System(), alias="os")
    addresses: tuple[str, ...] = Field((), alias="ipv4Addresses")
    mac_addresses: tuple[str, ...] = Field((), alias="macAddresses")
    person: Person = Field(Person(), alias="associatedPerson")
    group: Named = Named()
    tamper_protected: bool | None = Field(None, alias="tamperProtectionEnabled")
    products: tuple[Product, ...] = Field((), alias="assignedProducts")
    last_seen: str = Field("", alias="lastSeenAt")
    online: bool | None = None
    isolation: Isolated = Isolated()

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return self.hostname or f"computer {self.id}"


class Agent(Wire):
    """What an alert is about."""

    id: str = ""
    kind: str = Field("", alias="type")
    name: str = ""


class Alert(Wire):
    """An alert that waits for somebody. Only its allowed actions can be taken."""

    id: str = Field(min_length=1)
    description: str = ""
    severity: str = ""
    category: str = ""
    product: str = ""
    kind: str = Field("", alias="type")
    raised: str = Field("", alias="raisedAt")
    agent: Agent = Field(Agent(), alias="managedAgent")
    actions: tuple[str, ...] = Field((), alias="allowedActions")
    tenant: Named = Named()


class Event(Wire):
    """One line of what happened in a tenant within the last 24 hours."""

    id: str = ""
    kind: str = Field("", alias="type")
    severity: str = ""
    name: str = ""
    when: str = ""
    created: str = Field("", alias="created_at")
    location: str = ""
    source: str = ""
    computer_id: str = Field("", alias="endpoint_id")
    tenant_id: str = Field("", alias="customer_id")

    @property
    def at(self) -> str:
        """When it happened."""
        return self.when or self.created


class Events(Wire):
    """A piece of the events."""

    items: tuple[JsonValue, ...] = ()
    more: bool = Field(False, alias="has_more")
    cursor: str = Field("", alias="next_cursor")


class Isolation(Wire):
    """What was asked of a computer last: to be cut off or not. The computer itself may still be about to follow."""

    enabled: bool = False
    comment: str = ""
    enabled_at: str = Field("", alias="lastEnabledAt")
    enabled_by: Named = Field(Named(), alias="lastEnabledBy")
    disabled_at: str = Field("", alias="lastDisabledAt")
    disabled_by: Named = Field(Named(), alias="lastDisabledBy")


class TamperProtection(Wire):
    """Whether the agent is protected from its user. The vendor's answer holds passwords; they end here."""

    enabled: bool


class Ordered(Wire):
    """What the vendor answers to an order that a computer shall carry out."""

    id: str = ""
    status: str = ""


class Case(Wire):
    """A case of the vendor's analysts or of the MSP's own."""

    id: str = ""
    kind: str = Field("", alias="type")
    name: str = ""
    status: str = ""
    severity: str = ""
    created: str = Field("", alias="createdAt")
    tenant: Named = Named()


class BlockedProperties(Wire):
    """What is blocked."""

    sha256: str = ""
    file_name: str = Field("", alias="fileName")


class BlockedItem(Wire):
    """Something that may not run on any computer of a tenant."""

    id: str = ""
    kind: str = Field("", alias="type")
    comment: str = ""
    properties: BlockedProperties = BlockedProperties()


class ErrorBody(Wire):
    """An error answer: of the API, or of the identity server (`errorCode`)."""

    error: str = ""
    message: str = ""
    error_code: str = Field("", alias="errorCode")
    correlation_id: str = Field("", alias="correlationId")
    request_id: str = Field("", alias="requestId")
    tracking_id: str = Field("", alias="trackingId")

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words with the number it knows the request by; empty where there are none."""
        if not isinstance(content, dict):
            return ""
        try:
            told = cls.model_validate(content)
        except ValueError:
            return ""
        code = told.error or told.error_code
        said = ": ".join(dict.fromkeys(filter(None, [code, told.message])))
        number = told.correlation_id or told.request_id or told.tracking_id
        return f"{said} (their reference {number})" if said and number else said


def moment_of(text: str) -> datetime | None:
    """A moment as the vendor writes it; None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
