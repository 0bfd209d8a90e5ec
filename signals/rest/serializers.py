"""What the REST API takes and gives: shapes only, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, TypedDict

from pydantic import JsonValue
from rest_framework import serializers

from integrations.contracts import AttachmentRecord, NoteRecord, TicketRecord, TimeRecord
from signals.intake.columns import MOST_DEVICES, MOST_NOTES
from signals.intake.outcomes import Outcome, UpsertResult
from signals.models import Signal, SignalAttachment, SignalNote, SignalTime
from signals.rest.foreign import BoundedList, ForeignInput, Moment, Text, words

MAX_ITEMS = 1000
#: Of one time entry: ten weeks. Of one file: a tebibyte.
MOST_MINUTES = 100_000
MOST_BYTES = 1024**4


class BoardInput(ForeignInput):
    """A service board by the source's own id."""

    id = Text()
    name = words()


class NoteInput(ForeignInput):
    """A note of a ticket."""

    external_id = Text()
    author = words()
    text = words()
    internal = serializers.BooleanField(default=True, help_text="False = the client sees it.")
    written_at = Moment()
    by_client = serializers.BooleanField(
        allow_null=True,
        default=None,
        help_text="Somebody of the client's wrote it; left out = told by the author's name.",
    )


class TimeInput(ForeignInput):
    """Time that somebody booked on a ticket."""

    external_id = Text()
    member = words()
    minutes = serializers.IntegerField(min_value=0, max_value=MOST_MINUTES)
    billable = serializers.BooleanField(default=True)
    text = words()
    started_at = Moment()


class AttachmentInput(ForeignInput):
    """A file that hangs on a ticket, without the file."""

    external_id = Text()
    name = words()
    content_type = words()
    size = serializers.IntegerField(required=False, min_value=0, max_value=MOST_BYTES, help_text="In bytes.")
    added_at = Moment()


class TicketInput(ForeignInput):
    """One ticket as the source has it now. Ids are the source's own."""

    external_id = Text()
    updated_at = Moment(help_text="When the source last changed it: the newer one wins.")
    created_at = Moment(required=False, help_text="Left out: the same as `updated_at`.")
    deleted = serializers.BooleanField(default=False, help_text="It is gone at the source.")
    merged_into = words(help_text="Id of the ticket it was merged into; work on it ends.")
    subject = words()
    description = words()
    company = words(help_text="Id of the client company.")
    company_name = words()
    contact = words(help_text="Id of the contact.")
    devices = BoundedList(most=MOST_DEVICES, child=Text(), default=list, help_text="Ids; the first one counts.")
    status = words()
    closed = serializers.BooleanField(default=False, help_text="The status means that the ticket is closed.")
    priority = words()
    board = BoardInput(required=False, allow_null=True)
    type = words()
    subtype = words()
    item = words()
    alert_type = words(help_text="What the monitoring calls the alert; runbooks may be started by it.")
    assignee = words()
    notes = BoundedList(
        most=MOST_NOTES,
        child=NoteInput(),
        required=False,
        allow_null=True,
        help_text="All notes of the ticket; left out or null = the stored ones stay.",
    )
    time_entries = BoundedList(
        most=MOST_NOTES,
        child=TimeInput(),
        required=False,
        allow_null=True,
        help_text="All time booked on the ticket; left out or null = the stored stays.",
    )
    attachments = BoundedList(
        most=MOST_NOTES,
        child=AttachmentInput(),
        required=False,
        allow_null=True,
        help_text="All files of the ticket; left out or null = the stored ones stay.",
    )
    raw = serializers.JSONField(required=False, default=dict, help_text="The source's own record, kept as it is.")


class SyncInput(serializers.Serializer[None]):
    """A delivery of tickets. Used for the schema; each item is validated by itself."""

    connection = serializers.CharField(help_text="The vendor the ids belong to, for example `connectwise`.")
    items = serializers.ListField(child=TicketInput(), min_length=1, max_length=MAX_ITEMS)


class NoteFields(TypedDict):
    """A validated NoteInput."""

    external_id: str
    author: str
    text: str
    internal: bool
    written_at: datetime
    by_client: bool | None


class TimeFields(TypedDict):
    """A validated TimeInput."""

    external_id: str
    member: str
    minutes: int
    billable: bool
    text: str
    started_at: datetime


class _AttachmentFields(TypedDict, total=False):
    size: int


class AttachmentFields(_AttachmentFields):
    """A validated AttachmentInput."""

    external_id: str
    name: str
    content_type: str
    added_at: datetime


class BoardFields(TypedDict):
    """A validated BoardInput."""

    id: str
    name: str


class _TicketFields(TypedDict, total=False):
    created_at: datetime
    board: BoardFields | None
    notes: list[NoteFields] | None
    time_entries: list[TimeFields] | None
    attachments: list[AttachmentFields] | None


class TicketFields(_TicketFields):
    """A validated TicketInput."""

    external_id: str
    updated_at: datetime
    deleted: bool
    merged_into: str
    subject: str
    description: str
    company: str
    company_name: str
    contact: str
    devices: list[str]
    status: str
    closed: bool
    priority: str
    type: str
    subtype: str
    item: str
    alert_type: str
    assignee: str
    raw: JsonValue


def ticket_record(fields: TicketFields) -> TicketRecord:
    """The record that a validated item stands for."""
    board, notes, times, files = (
        fields.get("board"),
        fields.get("notes"),
        fields.get("time_entries"),
        fields.get("attachments"),
    )
    return TicketRecord(
        external_id=fields["external_id"],
        subject=fields["subject"],
        created_at=fields.get("created_at", fields["updated_at"]),
        updated_at=fields["updated_at"],
        company_external_id=fields["company"],
        company_name=fields["company_name"],
        contact_external_id=fields["contact"],
        device_external_ids=tuple(fields["devices"]),
        description=fields["description"],
        status=fields["status"],
        closed=fields["closed"],
        priority=fields["priority"],
        board_external_id=board["id"] if board else "",
        board_name=board["name"] if board else "",
        type=fields["type"],
        subtype=fields["subtype"],
        item=fields["item"],
        alert_type=fields["alert_type"],
        assignee=fields["assignee"],
        notes=None if notes is None else tuple(NoteRecord(**note) for note in notes),
        time_entries=None if times is None else tuple(TimeRecord(**entry) for entry in times),
        attachments=None if files is None else tuple(AttachmentRecord(**file) for file in files),
        deleted=fields["deleted"],
        merged_into=fields["merged_into"],
        raw=fields["raw"],
    )


def first_problem(errors: object, path: str = "") -> str:
    """The first validation error of an item as one sentence that names its field."""
    if isinstance(errors, Mapping):
        field, inner = next(iter(errors.items()))
        named = path if field == "non_field_errors" else f"{path}.{field}" if path else str(field)
        return first_problem(inner, named)
    if isinstance(errors, list) and errors:
        inner = next((each for each in errors if each), errors[0])
        return first_problem(inner, path)
    return f"{path}: {errors}" if path else str(errors)


class ResultOutput(serializers.Serializer[UpsertResult]):
    """What became of one item."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    external_id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    signal = serializers.UUIDField(source="signal_id", allow_null=True)
    reason = serializers.CharField(help_text="Why it was refused, passed over or waits for review; else empty.")


class SyncOutput(serializers.Serializer[None]):
    """One result per item, in the order sent, and how many there are of each outcome."""

    dry_run = serializers.BooleanField(help_text="True: nothing was written.")
    results = ResultOutput(many=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class NoteOutput(serializers.ModelSerializer[SignalNote]):
    """A note of a signal."""

    class Meta:
        model = SignalNote
        fields = ("external_id", "author", "text", "internal", "written_at", "by_client")


class TimeOutput(serializers.ModelSerializer[SignalTime]):
    """Time booked on a signal's ticket."""

    class Meta:
        model = SignalTime
        fields = ("external_id", "member", "minutes", "billable", "text", "started_at")


class AttachmentOutput(serializers.ModelSerializer[SignalAttachment]):
    """A file of a signal's ticket."""

    class Meta:
        model = SignalAttachment
        fields = ("external_id", "name", "content_type", "size", "added_at")


class SignalOutput(serializers.ModelSerializer[Signal]):
    """A signal in a list."""

    connection = serializers.CharField(source="connection.vendor", default=None)
    company = serializers.UUIDField(source="company_id", allow_null=True)
    company_name = serializers.CharField(source="company.name", default=None)
    contact_name = serializers.CharField(source="contact.name", default=None)
    board = serializers.CharField(source="board.name", default=None)
    created_at = serializers.DateTimeField(source="source_created_at")
    updated_at = serializers.DateTimeField(source="source_updated_at")

    class Meta:
        model = Signal
        fields: ClassVar[Any] = (
            "id",
            "connection",
            "external_id",
            "state",
            "state_reason",
            "subject",
            "company",
            "company_name",
            "contact_name",
            "board",
            "priority",
            "type",
            "subtype",
            "item",
            "alert_type",
            "assignee",
            "source_status",
            "closed_at_source",
            "created_at",
            "updated_at",
            "changed_at",
            "revision",
        )


class SignalDetailOutput(SignalOutput):
    """One signal with its text, notes, time and files."""

    notes = NoteOutput(many=True)
    time_entries = TimeOutput(many=True)
    attachments = AttachmentOutput(many=True)

    class Meta(SignalOutput.Meta):
        fields: ClassVar[Any] = (*SignalOutput.Meta.fields, "description", "notes", "time_entries", "attachments")
