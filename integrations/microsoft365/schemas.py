"""Microsoft Graph's records, as far as they are used: fields not named here are ignored, absent ones have defaults.

Lists of values (kinds, states, severities) are taken as text, as the vendor adds to them. Times are ISO 8601 as sent.
"""

from __future__ import annotations

from pydantic import Field, JsonValue, SecretStr

from integrations.wire import ApiCredentials, Secret, Wire

GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_TYPE = "#microsoft.graph."


class Credentials(ApiCredentials):
    """What an app registration consists of, with the tenant that it is registered in."""

    client_id: str = Field(pattern=GUID)
    client_secret: Secret
    tenant_id: str = Field(pattern=GUID)


class Token(Wire):
    """The answer of the sign-in service; `expires_in` in seconds."""

    access_token: str = Field(min_length=1, repr=False)
    expires_in: float = 3599.0


class Page(Wire):
    """One page of a list."""

    value: tuple[JsonValue, ...]
    next_link: str = Field("", alias="@odata.nextLink")


class Organization(Wire):
    """The tenant itself."""

    id: str
    name: str = Field("", alias="displayName")


class Customer(Wire):
    """A client with whom the partner has a relationship under GDAP; `tenant_id` is the client's tenant."""

    tenant_id: str = Field("", alias="tenantId")
    name: str = Field("", alias="displayName")


class Domain(Wire):
    """A domain of a tenant."""

    id: str
    verified: bool = Field(False, alias="isVerified")


class AssignedLicense(Wire):
    """A licence that somebody has."""

    sku_id: str = Field("", alias="skuId")


class LicenseState(Wire):
    """How somebody came by a licence; `by_group` = the group that gives it, empty where it was given to them."""

    sku_id: str = Field("", alias="skuId")
    by_group: str = Field("", alias="assignedByGroup")


class User(Wire):
    """A person's account, or that of a mailbox."""

    id: str
    name: str = Field("", alias="displayName")
    upn: str = Field("", alias="userPrincipalName")
    mail: str = ""
    enabled: bool = Field(True, alias="accountEnabled")
    kind: str = Field("", alias="userType")
    title: str = Field("", alias="jobTitle")
    department: str = ""
    location: str = Field("", alias="usageLocation")
    synced: bool = Field(False, alias="onPremisesSyncEnabled")
    licenses: tuple[AssignedLicense, ...] = Field((), alias="assignedLicenses")
    license_states: tuple[LicenseState, ...] = Field((), alias="licenseAssignmentStates")
    password_changed: str = Field("", alias="lastPasswordChangeDateTime")
    sessions_from: str = Field("", alias="signInSessionsValidFromDateTime")
    created: str = Field("", alias="createdDateTime")

    @property
    def label(self) -> str:
        """The name that people know it by."""
        return self.name or self.upn or self.id


class Member(Wire):
    """Something in a group, or a group that something is in."""

    id: str
    kind: str = Field("", alias="@odata.type")
    name: str = Field("", alias="displayName")
    upn: str = Field("", alias="userPrincipalName")
    gives_roles: bool = Field(False, alias="isAssignableToRole")

    @property
    def is_role(self) -> bool:
        """Whether it is a role of an administrator."""
        return self.kind == f"{_TYPE}directoryRole"


class Group(Wire):
    """A group."""

    id: str
    name: str = Field("", alias="displayName")
    mail: str = ""
    description: str = ""
    types: tuple[str, ...] = Field((), alias="groupTypes")
    mail_enabled: bool = Field(False, alias="mailEnabled")
    security_enabled: bool = Field(False, alias="securityEnabled")
    synced: bool = Field(False, alias="onPremisesSyncEnabled")
    gives_roles: bool = Field(False, alias="isAssignableToRole")

    @property
    def words(self) -> str:
        """What kind of group it is."""
        if "DynamicMembership" in self.types:
            return "dynamic group"
        if "Unified" in self.types:
            return "Microsoft 365 group"
        if self.mail_enabled:
            return "mail-enabled security group" if self.security_enabled else "distribution list"
        return "security group"


class Units(Wire):
    """Seats of a licence."""

    enabled: int = 0
    warning: int = 0
    suspended: int = 0


class Sku(Wire):
    """A licence that the tenant bought."""

    sku_id: str = Field("", alias="skuId")
    part: str = Field("", alias="skuPartNumber")
    status: str = Field("", alias="capabilityStatus")
    used: int = Field(0, alias="consumedUnits")
    units: Units = Field(Units(), alias="prepaidUnits")
    applies_to: str = Field("", alias="appliesTo")

    @property
    def free(self) -> int:
        """Seats that nobody has; 0 where more are used than there are."""
        return max(self.units.enabled + self.units.warning - self.used, 0)


class Method(Wire):
    """A way somebody can sign in. `kind` without what all kinds share in their names."""

    id: str
    type: str = Field("", alias="@odata.type")
    created: str = Field("", alias="createdDateTime")
    phone: str = Field("", alias="phoneNumber")
    phone_type: str = Field("", alias="phoneType")
    name: str = Field("", alias="displayName")
    device_tag: str = Field("", alias="deviceTag")
    model: str = ""
    email: str = Field("", alias="emailAddress")
    minutes: int = Field(0, alias="lifetimeInMinutes")
    usable: bool = Field(False, alias="isUsable")
    pass_text: SecretStr = Field(SecretStr(""), alias="temporaryAccessPass")

    @property
    def kind(self) -> str:
        """phone, microsoftAuthenticator, fido2, password, ..."""
        return self.type.removeprefix(_TYPE).removesuffix("AuthenticationMethod")


class Mailbox(Wire):
    """An address with a name."""

    name: str = ""
    address: str = ""


class Recipient(Wire):
    """Whom mail goes to."""

    mailbox: Mailbox = Field(Mailbox(), alias="emailAddress")


class RuleActions(Wire):
    """What a rule does with mail."""

    folder: str = Field("", alias="moveToFolder")
    deletes: bool = Field(False, alias="delete")
    deletes_for_good: bool = Field(False, alias="permanentDelete")
    marks_read: bool = Field(False, alias="markAsRead")
    forwards: tuple[Recipient, ...] = Field((), alias="forwardTo")
    attaches: tuple[Recipient, ...] = Field((), alias="forwardAsAttachmentTo")
    redirects: tuple[Recipient, ...] = Field((), alias="redirectTo")


class RuleConditions(Wire):
    """Which mail a rule is about."""

    subject: tuple[str, ...] = Field((), alias="subjectContains")
    body_or_subject: tuple[str, ...] = Field((), alias="bodyOrSubjectContains")
    sender: tuple[str, ...] = Field((), alias="senderContains")


class Rule(Wire):
    """A rule of an inbox."""

    id: str
    name: str = Field("", alias="displayName")
    enabled: bool = Field(False, alias="isEnabled")
    conditions: RuleConditions = RuleConditions()
    actions: RuleActions = RuleActions()


class Moment(Wire):
    """A moment with its zone beside it."""

    at: str = Field("", alias="dateTime")
    zone: str = Field("", alias="timeZone")


class AutoReply(Wire):
    """An automatic reply."""

    status: str = "disabled"
    audience: str = Field("none", alias="externalAudience")
    inside: str = Field("", alias="internalReplyMessage")
    outside: str = Field("", alias="externalReplyMessage")
    starts: Moment = Field(Moment(), alias="scheduledStartDateTime")
    ends: Moment = Field(Moment(), alias="scheduledEndDateTime")


class MailboxSettings(Wire):
    """Settings of a mailbox."""

    reply: AutoReply = Field(AutoReply(), alias="automaticRepliesSetting")


class Trouble(Wire):
    """What an error says of itself."""

    code: str = ""
    message: str = ""


class ErrorBody(Wire):
    """An error answer of Graph."""

    error: Trouble = Trouble()

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words, for a person; empty where there are none."""
        if not isinstance(content, dict):
            return ""
        try:
            told = cls.model_validate(content).error
        except ValueError:
            return ""
        return f"{told.code}: {told.message}" if told.code and told.message else told.message or told.code


class LoginError(Wire):
    """An error answer of the sign-in service (RFC 6749, with numbers of its own)."""

    error: str = ""
    error_description: str = ""
    error_codes: tuple[int, ...] = ()

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words, with the number in front, as in "AADSTS700016: ..."; empty where there are none."""
        if not isinstance(content, dict):
            return ""
        try:
            told = cls.model_validate(content)
        except ValueError:
            return ""
        said = told.error_description.partition("Trace ID")[0].strip() or told.error
        number = f"AADSTS{told.error_codes[0]}" if told.error_codes else ""
        return said if not number or said.startswith(number) else f"{number}: {said}"
