"""What the REST API takes and gives of companies, contacts and devices: shapes only, no decisions."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from integrations.directory_sync import DirectoryOutcome, DirectoryResult
from signals.rest.foreign import ForeignInput, Moment, Text, words
from signals.rest.serializers import MAX_ITEMS


class _RecordInput(ForeignInput):
    """What all of them have. Ids are the source's own."""

    external_id = Text()
    updated_at = Moment(help_text="When the source last changed it: the newer one wins.")
    deleted = serializers.BooleanField(default=False, help_text="It is gone at the source.")


class CompanyInput(_RecordInput):
    """A client company."""

    lengths: ClassVar[dict[str, int]] = {"name": 200, "identifier": 50}

    name = words(help_text="Needed unless `deleted`.")
    identifier = words(help_text="The source's short name; stands behind `name` where two companies bear the same.")


class ContactInput(_RecordInput):
    """A person at a client company."""

    lengths: ClassVar[dict[str, int]] = {"name": 200, "email": 254, "phone": 60, "title": 120}

    company = words(help_text="Id of the client company. Needed unless `deleted`.")
    name = words()
    email = words()
    phone = words()
    title = words()


class DeviceInput(_RecordInput):
    """A device of a client company."""

    lengths: ClassVar[dict[str, int]] = {"name": 200, "kind": 120, "operating_system": 120, "serial_number": 120}

    company = words(help_text="Id of the client company. Needed unless `deleted`.")
    name = words()
    kind = words(help_text="Workstation, server, printer, firewall.")
    operating_system = words()
    serial_number = words()


class _DeliveryInput(serializers.Serializer[None]):
    connection = serializers.CharField(help_text="The vendor the ids belong to, for example `connectwise`.")


class CompanySyncInput(_DeliveryInput):
    """A delivery of companies. Used for the schema; each item is validated by itself."""

    items = serializers.ListField(child=CompanyInput(), min_length=1, max_length=MAX_ITEMS)


class ContactSyncInput(_DeliveryInput):
    """A delivery of contacts. Used for the schema; each item is validated by itself."""

    items = serializers.ListField(child=ContactInput(), min_length=1, max_length=MAX_ITEMS)


class DeviceSyncInput(_DeliveryInput):
    """A delivery of devices. Used for the schema; each item is validated by itself."""

    items = serializers.ListField(child=DeviceInput(), min_length=1, max_length=MAX_ITEMS)


class DirectoryResultOutput(serializers.Serializer[DirectoryResult]):
    """What became of one item."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    external_id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in DirectoryOutcome])
    id = serializers.UUIDField(source="row_id", allow_null=True, help_text="Ours; null where there is none yet.")
    reason = serializers.CharField(help_text="Why it was refused, passed over or is kept for later; else empty.")


class DirectorySyncOutput(serializers.Serializer[None]):
    """One result per item, in the order sent, and how many there are of each outcome."""

    dry_run = serializers.BooleanField(help_text="True: nothing was written.")
    results = DirectoryResultOutput(many=True)
    counts = serializers.DictField(child=serializers.IntegerField())
