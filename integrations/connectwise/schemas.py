"""ConnectWise's records, as far as they are used: fields not named here are ignored, absent ones have defaults."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import Field, JsonValue

from integrations.wire import ApiCredentials, Secret, Wire


class Credentials(ApiCredentials):
    """What an API member's keys consist of."""

    company_id: str = Field(min_length=1, max_length=60, pattern=r"^[!-~]+$")
    public_key: Secret
    private_key: Secret
    client_id: str = Field(min_length=1, max_length=60, pattern=r"^[!-~]+$")


class Reference(Wire):
    """A pointer to another record."""

    id: int = 0
    name: str = ""
    identifier: str = ""

    @property
    def external_id(self) -> str:
        """The id as text; empty where there is none."""
        return str(self.id) if self.id else ""


class Stamps(Wire):
    """`_info`: who touched a record when."""

    last_updated: datetime | None = Field(None, alias="lastUpdated")
    date_entered: datetime | None = Field(None, alias="dateEntered")
    entered_by: str = Field("", alias="enteredBy")
    updated_by: str = Field("", alias="updatedBy")
    name: str = ""


NOWHERE = Reference()

SERVICE_BOOKING = "S"
"""The schedule type of service tickets."""


class Ticket(Wire):
    """A service ticket. It carries no description: that is a note."""

    id: int
    summary: str = ""
    board: Reference = NOWHERE
    status: Reference = NOWHERE
    company: Reference = NOWHERE
    contact: Reference = NOWHERE
    contact_name: str = Field("", alias="contactName")
    contact_email: str = Field("", alias="contactEmailAddress")
    type: Reference = NOWHERE
    sub_type: Reference = Field(NOWHERE, alias="subType")
    item: Reference = NOWHERE
    priority: Reference = NOWHERE
    owner: Reference = NOWHERE
    merged_into: Reference = Field(NOWHERE, alias="mergedParentTicket")
    closed: bool = Field(False, alias="closedFlag")
    hours: float = Field(0.0, alias="actualHours")
    mails_contact: bool = Field(False, alias="automaticEmailContactFlag")
    date_entered: datetime | None = Field(None, alias="dateEntered")
    info: Stamps = Field(default_factory=Stamps, alias="_info")

    @property
    def updated_at(self) -> datetime | None:
        """When it last changed, as far as the vendor says."""
        return self.info.last_updated or self.date_entered


class Note(Wire):
    """A note, or a time entry's text, as `allNotes` lists them."""

    id: int
    kind: str = Field("TicketNote", alias="noteType")
    ticket: Reference = NOWHERE
    text: str = ""
    discussion: bool = Field(False, alias="detailDescriptionFlag")
    analysis: bool = Field(False, alias="internalAnalysisFlag")
    resolution: bool = Field(False, alias="resolutionFlag")
    issue: bool = Field(False, alias="issueFlag")
    original_author: str = Field("", alias="originalAuthor")
    member: Reference = NOWHERE
    contact: Reference = NOWHERE
    time_start: datetime | None = Field(None, alias="timeStart")
    info: Stamps = Field(default_factory=Stamps, alias="_info")

    @property
    def internal(self) -> bool:
        """Whether the client does not see it."""
        return not (self.discussion or self.resolution)

    @property
    def author(self) -> str:
        """Whoever wrote it, as well as the vendor knows."""
        return self.member.name or self.contact.name or self.original_author or self.info.entered_by

    @property
    def by_client(self) -> bool | None:
        """Whether a contact wrote it and not a member; None where neither is named, as in what came by mail."""
        if not (self.member.external_id or self.contact.external_id):
            return None
        return not self.member.external_id

    @property
    def written_at(self) -> datetime | None:
        """When it was entered, as far as the vendor says."""
        return self.info.date_entered or self.info.last_updated or self.time_start

    @property
    def external_id(self) -> str:
        """Its id, told apart from a time entry's of the same number."""
        return str(self.id) if self.kind == "TicketNote" else f"{self.kind}:{self.id}"


class CreatedNote(Wire):
    """A note as the answer to its creation."""

    id: int
    ticket_id: int = Field(0, alias="ticketId")


class TimeEntry(Wire):
    """Time logged."""

    id: int
    company: Reference = NOWHERE
    charge_to_id: int = Field(0, alias="chargeToId")
    charge_to_type: str = Field("", alias="chargeToType")
    member: Reference = NOWHERE
    start: datetime | None = Field(None, alias="timeStart")
    end: datetime | None = Field(None, alias="timeEnd")
    hours: float = Field(0.0, alias="actualHours")
    billable: str = Field("", alias="billableOption")
    notes: str = ""
    internal_notes: str = Field("", alias="internalNotes")


class ScheduleEntry(Wire):
    """A booking in a member's schedule."""

    id: int
    object_id: int = Field(0, alias="objectId")
    type: Reference = NOWHERE
    member: Reference = NOWHERE
    start: datetime | None = Field(None, alias="dateStart")
    end: datetime | None = Field(None, alias="dateEnd")
    done: bool = Field(False, alias="doneFlag")

    @property
    def is_service(self) -> bool:
        """Whether `object_id` is a service ticket's number."""
        return self.type.identifier == SERVICE_BOOKING


class Document(Wire):
    """A file on a record."""

    id: int
    title: str = ""
    file_name: str = Field("", alias="fileName")
    owner: str = ""
    size: int = 0
    public: bool = Field(False, alias="publicFlag")
    info: Stamps = Field(default_factory=Stamps, alias="_info")


class Success(Wire):
    """The answer to a merge."""

    success: bool = True
    message: str = ""


class Company(Wire):
    """A client company."""

    id: int
    identifier: str = ""
    name: str = ""
    status: Reference = NOWHERE
    city: str = ""
    phone: str = Field("", alias="phoneNumber")
    website: str = ""
    deleted: bool = Field(False, alias="deletedFlag")


class CommunicationItem(Wire):
    """A phone number or an e-mail address."""

    value: str = ""
    kind: str = Field("", alias="communicationType")
    type: Reference = NOWHERE
    default: bool = Field(False, alias="defaultFlag")


class Contact(Wire):
    """A person at a company."""

    id: int
    first_name: str = Field("", alias="firstName")
    last_name: str = Field("", alias="lastName")
    company: Reference = NOWHERE
    title: str = ""
    inactive: bool = Field(False, alias="inactiveFlag")
    default_phone: str = Field("", alias="defaultPhoneNbr")
    communication_items: tuple[CommunicationItem, ...] = Field((), alias="communicationItems")

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def email(self) -> str:
        """The default e-mail address, else the first one."""
        return self._first("email", lambda one: "@" in one.value)

    @property
    def phone(self) -> str:
        """The default phone number, else the first one."""
        return self.default_phone or self._first("phone", lambda one: "@" not in one.value)

    def _first(self, kind: str, looks_right: Callable[[CommunicationItem], bool]) -> str:
        found = [
            one for one in self.communication_items if one.kind.lower() == kind or (not one.kind and looks_right(one))
        ]
        found.sort(key=lambda one: not one.default)
        return found[0].value if found else ""


class Configuration(Wire):
    """A device."""

    id: int
    name: str = ""
    type: Reference = NOWHERE
    status: Reference = NOWHERE
    company: Reference = NOWHERE
    contact: Reference = NOWHERE
    serial_number: str = Field("", alias="serialNumber")
    model_number: str = Field("", alias="modelNumber")
    os_type: str = Field("", alias="osType")
    os_info: str = Field("", alias="osInfo")
    ip_address: str = Field("", alias="ipAddress")
    last_login: str = Field("", alias="lastLoginName")
    notes: str = ""
    active: bool = Field(True, alias="activeFlag")

    @property
    def operating_system(self) -> str:
        """Its name, and version where known."""
        return self.os_info if self.os_type in self.os_info else f"{self.os_type} {self.os_info}".strip()


class TicketConfiguration(Wire):
    """A device as a ticket's list shows it."""

    id: int
    info: Stamps = Field(default_factory=Stamps, alias="_info")


class Board(Wire):
    """A service board."""

    id: int
    name: str = ""
    inactive: bool = Field(False, alias="inactiveFlag")
    mails_contact: bool = Field(False, alias="sendToContactFlag")
    locks_discussion: bool = Field(False, alias="discussionsLockedFlag")
    locks_time: bool = Field(False, alias="timeEntryLockedFlag")
    time_to_discussion: bool = Field(False, alias="timeEntryDiscussionFlag")
    time_to_analysis: bool = Field(False, alias="timeEntryInternalAnalysisFlag")
    time_to_resolution: bool = Field(False, alias="timeEntryResolutionFlag")


class BoardStatus(Wire):
    """A status of one board."""

    id: int
    name: str = ""
    inactive: bool = False
    closed: bool = Field(False, alias="closedStatus")
    default: bool = Field(False, alias="defaultFlag")
    email_template: Reference = Field(NOWHERE, alias="emailTemplate")


class BoardChoice(Wire):
    """A type, subtype, item or team of one board."""

    id: int
    name: str = ""
    inactive: bool = Field(False, alias="inactiveFlag")
    type_ids: tuple[int, ...] = Field((), alias="typeAssociationIds")


class Association(Wire):
    """A type, subtype and item of one board that go together."""

    id: int
    type: Reference = NOWHERE
    sub_type: Reference = Field(NOWHERE, alias="subType")
    item: Reference = NOWHERE


class Priority(Wire):
    """A priority."""

    id: int
    name: str = ""
    level: str = ""
    sort: int = Field(0, alias="sortOrder")


class Member(Wire):
    """A member of the MSP."""

    id: int
    identifier: str = ""
    first_name: str = Field("", alias="firstName")
    last_name: str = Field("", alias="lastName")
    title: str = ""
    inactive: bool = Field(False, alias="inactiveFlag")

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


class Info(Wire):
    """What the server says of itself."""

    version: str = ""


class Problem(Wire):
    """One entry of an error's list."""

    message: str = ""
    field: str = ""


class ErrorBody(Wire):
    """An error answer."""

    code: str = ""
    message: str = ""
    errors: tuple[Problem, ...] = ()

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words, for a person; empty where there are none."""
        if not isinstance(content, dict):
            return ""
        try:
            told = cls.model_validate(content)
        except ValueError:
            return ""
        return " ".join(part for part in (told.message, *(one.message for one in told.errors)) if part)
