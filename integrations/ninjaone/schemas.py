"""NinjaOne's records, as far as they are used: fields not named here are ignored, absent ones have defaults.

Lists of values (classes, states, severities) are taken as text, as the vendor adds to them. Times are seconds since
1970, with fractions.
"""

from __future__ import annotations

from pydantic import Field, JsonValue

from integrations.wire import ApiCredentials, Secret, Wire

NO_USER_ADVICE = (
    "Scripts need an API client with a technician behind it: NinjaOne does not let this one run them, "
    "whatever scopes it has. An admin gets a technician's consent on the page of the connection."
)

NO_CONSENT = (
    "NinjaOne runs scripts only in the name of a technician, and none has consented yet. An admin gets that consent "
    "under Integrations, on the page of the NinjaOne connection: “Get a technician's consent”. Nothing was sent."
)


class Credentials(ApiCredentials):
    """What an API client consists of."""

    client_id: str = Field(min_length=1, max_length=120, pattern=r"^[!-~]+$")
    client_secret: Secret


class Token(Wire):
    """The answer of the token endpoint; `expires_in` in seconds."""

    access_token: str = Field(min_length=1)
    expires_in: float = 3600.0
    scope: str = ""
    refresh_token: str = ""


class Organization(Wire):
    """A client of the MSP."""

    id: int
    name: str = ""


class Maintenance(Wire):
    """A maintenance window of a device."""

    status: str = ""
    end: float = 0.0
    reason: str = Field("", alias="reasonMessage")


class Device(Wire):
    """A device, from the short or the long record."""

    id: int
    organization_id: int = Field(0, alias="organizationId")
    node_class: str = Field("", alias="nodeClass")
    approval: str = Field("", alias="approvalStatus")
    offline: bool = False
    display_name: str = Field("", alias="displayName")
    system_name: str = Field("", alias="systemName")
    dns_name: str = Field("", alias="dnsName")
    last_contact: float = Field(0.0, alias="lastContact")
    ip_addresses: tuple[str, ...] = Field((), alias="ipAddresses")
    maintenance: Maintenance = Maintenance()

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return self.display_name or self.system_name or self.dns_name or f"device {self.id}"


class Found(Wire):
    """What a search over all organizations found."""

    devices: tuple[JsonValue, ...] = ()


class Alert(Wire):
    """An alert that stands."""

    uid: str
    device_id: int = Field(0, alias="deviceId")
    subject: str = ""
    message: str = ""
    severity: str = ""
    priority: str = ""
    source: str = Field("", alias="sourceType")
    condition: str = Field("", alias="conditionName")
    created: float = Field(0.0, alias="createTime")
    updated: float = Field(0.0, alias="updateTime")
    device: Device | None = None


class Activity(Wire):
    """One line of a device's log. Its data is left out: the output of scripts can hold secrets."""

    id: int
    at: float = Field(0.0, alias="activityTime")
    kind: str = Field("", alias="activityType")
    code: str = Field("", alias="statusCode")
    result: str = Field("", alias="activityResult")
    source: str = Field("", alias="sourceName")
    subject: str = ""
    message: str = ""


class Activities(Wire):
    """A page of a device's log, the newest first."""

    activities: tuple[JsonValue, ...] = ()


class Volume(Wire):
    """A volume; sizes in bytes."""

    name: str = ""
    label: str = ""
    capacity: int = 0
    free: int = Field(0, alias="freeSpace")
    file_system: str = Field("", alias="fileSystem")


class Disk(Wire):
    """A drive; size in bytes."""

    name: str = ""
    model: str = ""
    status: str = ""
    media: str = Field("", alias="mediaType")
    size: int = 0


class Software(Wire):
    """Something installed."""

    name: str = ""
    publisher: str = ""
    version: str = ""
    installed: str = Field("", alias="installDate")


class Patch(Wire):
    """An update that is not installed, or was not."""

    id: str = ""
    name: str = ""
    kb: str = Field("", alias="kbNumber")
    severity: str = ""
    status: str = ""
    kind: str = Field("", alias="type")


class LastUser(Wire):
    """Who signed in last."""

    name: str = Field("", alias="userName")
    at: float = Field(0.0, alias="logonTime")


class Service(Wire):
    """A Windows service."""

    name: str
    label: str = Field("", alias="displayName")
    state: str = ""
    start: str = Field("", alias="startType")


class Script(Wire):
    """A script of the library (with an id), or a built-in action (with a uid)."""

    kind: str = Field("SCRIPT", alias="type")
    id: int = 0
    uid: str = ""
    name: str = ""
    language: str = ""
    description: str = ""


class Roles(Wire):
    """As whom a script can run."""

    roles: tuple[str, ...] = ()


class Scripting(Wire):
    """What may be run on a device, and as whom."""

    scripts: tuple[Script, ...] = ()
    credentials: Roles = Roles()


class OperatingSystem(Wire):
    """What a report tells of a device's operating system."""

    device_id: int = Field(0, alias="deviceId")
    name: str = ""
    release: str = Field("", alias="releaseId")
    last_boot: float = Field(0.0, alias="lastBootTime")
    needs_reboot: bool = Field(False, alias="needsReboot")


class ComputerSystem(Wire):
    """What a report tells of a device's hardware; memory in bytes."""

    device_id: int = Field(0, alias="deviceId")
    model: str = ""
    serial_number: str = Field("", alias="serialNumber")
    memory: int = Field(0, alias="totalPhysicalMemory")
    domain: str = ""


class Cursor(Wire):
    """Where a report goes on."""

    name: str = ""


class Report(Wire):
    """A piece of a report."""

    cursor: Cursor = Cursor()
    results: tuple[JsonValue, ...] = ()


class ErrorBody(Wire):
    """An error answer: of the API, or of its token endpoint (`error`, as RFC 6749 has it)."""

    error_message: str = Field("", alias="errorMessage")
    error: str = ""
    error_description: str = ""
    message: str = ""
    result_code: str = Field("", alias="resultCode")

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words, for a person; empty where there are none."""
        if not isinstance(content, dict):
            return ""
        try:
            told = cls.model_validate(content)
        except ValueError:
            return ""
        said = told.error_message or told.error_description or told.message or told.error or told.result_code
        return f"{said}. {NO_USER_ADVICE}" if "user context" in said else said
