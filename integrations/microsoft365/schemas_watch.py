"""Microsoft Graph's records of what happened: sign-ins, the directory's log, risks, devices and alerts."""

from __future__ import annotations

from pydantic import Field

from integrations.wire import Wire


class Place(Wire):
    """Where a sign-in came from."""

    city: str = ""
    country: str = Field("", alias="countryOrRegion")


class SignInStatus(Wire):
    """How a sign-in ended; 0 = it succeeded."""

    code: int = Field(0, alias="errorCode")
    reason: str = Field("", alias="failureReason")


class SignInDevice(Wire):
    """What somebody signed in with."""

    name: str = Field("", alias="displayName")
    system: str = Field("", alias="operatingSystem")
    browser: str = ""


class SignIn(Wire):
    """One sign-in."""

    at: str = Field("", alias="createdDateTime")
    user_id: str = Field("", alias="userId")
    upn: str = Field("", alias="userPrincipalName")
    app: str = Field("", alias="appDisplayName")
    client: str = Field("", alias="clientAppUsed")
    address: str = Field("", alias="ipAddress")
    place: Place = Field(Place(), alias="location")
    status: SignInStatus = SignInStatus()
    device: SignInDevice = Field(SignInDevice(), alias="deviceDetail")
    access: str = Field("", alias="conditionalAccessStatus")
    risk: str = Field("", alias="riskLevelDuringSignIn")


class Identity(Wire):
    """Who did something."""

    name: str = Field("", alias="displayName")
    upn: str = Field("", alias="userPrincipalName")


class AppIdentity(Wire):
    """An application that did something: its own id, and that of what stands for it in the tenant."""

    name: str = Field("", alias="displayName")
    app_id: str = Field("", alias="appId")
    principal: str = Field("", alias="servicePrincipalId")


class Initiator(Wire):
    """A person or an application."""

    user: Identity = Identity()
    app: AppIdentity = AppIdentity()

    @property
    def words(self) -> str:
        """Who it was."""
        return self.user.upn or self.user.name or self.app.name


class Target(Wire):
    """What something was done to."""

    id: str = ""
    kind: str = Field("", alias="type")
    name: str = Field("", alias="displayName")
    upn: str = Field("", alias="userPrincipalName")


class Audit(Wire):
    """A line of the directory's log. Old and new values are left out: they can hold secrets."""

    at: str = Field("", alias="activityDateTime")
    activity: str = Field("", alias="activityDisplayName")
    category: str = ""
    result: str = ""
    by: Initiator = Field(Initiator(), alias="initiatedBy")
    targets: tuple[Target, ...] = Field((), alias="targetResources")


class RiskyUser(Wire):
    """Somebody whom the vendor holds for endangered."""

    id: str
    name: str = Field("", alias="userDisplayName")
    upn: str = Field("", alias="userPrincipalName")
    level: str = Field("", alias="riskLevel")
    state: str = Field("", alias="riskState")
    detail: str = Field("", alias="riskDetail")
    at: str = Field("", alias="riskLastUpdatedDateTime")


class DeviceOrder(Wire):
    """What a managed device was last told to do."""

    name: str = Field("", alias="actionName")
    state: str = Field("", alias="actionState")
    started: str = Field("", alias="startDateTime")


class Device(Wire):
    """A device that Intune manages."""

    id: str
    name: str = Field("", alias="deviceName")
    user_id: str = Field("", alias="userId")
    upn: str = Field("", alias="userPrincipalName")
    system: str = Field("", alias="operatingSystem")
    version: str = Field("", alias="osVersion")
    compliance: str = Field("", alias="complianceState")
    encrypted: bool = Field(False, alias="isEncrypted")
    synced_at: str = Field("", alias="lastSyncDateTime")
    model: str = ""
    maker: str = Field("", alias="manufacturer")
    serial_number: str = Field("", alias="serialNumber")
    orders: tuple[DeviceOrder, ...] = Field((), alias="deviceActionResults")


class Alert(Wire):
    """An alert of Defender and its neighbours. Evidence is left out: it has many shapes."""

    id: str
    title: str = ""
    severity: str = ""
    status: str = ""
    category: str = ""
    source: str = Field("", alias="serviceSource")
    description: str = ""
    advice: str = Field("", alias="recommendedActions")
    created: str = Field("", alias="createdDateTime")
    url: str = Field("", alias="alertWebUrl")
