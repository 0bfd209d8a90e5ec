"""What the REST API tells of connections: shapes only."""

from __future__ import annotations

from rest_framework import serializers

from signals.sync.standing import Backlog, Counts, Delivered, SyncState


class DeliveredOutput(serializers.Serializer[Delivered]):
    """The last delivery of one kind by REST."""

    what = serializers.CharField(help_text="signals, companies, contacts or devices.")
    at = serializers.DateTimeField(allow_null=True)
    newest = serializers.DateTimeField(allow_null=True, help_text="The newest `updated_at` that was ever delivered.")


class BacklogOutput(serializers.Serializer[Backlog]):
    """What is not in its place yet."""

    refused_tickets = serializers.IntegerField(help_text="Read from the source, and could not be stored.")
    signals_without_company = serializers.IntegerField()
    waiting_records = serializers.IntegerField(help_text="Contacts and devices whose company is not known.")


class CountsOutput(serializers.Serializer[Counts]):
    """What is here, without companies, contacts and devices that are gone at the source."""

    signals = serializers.IntegerField()
    open_signals = serializers.IntegerField()
    companies = serializers.IntegerField()
    contacts = serializers.IntegerField()
    devices = serializers.IntegerField()


class SyncStateOutput(serializers.Serializer[SyncState]):
    """One connection."""

    connection = serializers.CharField()
    name = serializers.CharField(source="label")
    state = serializers.CharField()
    detail = serializers.CharField()
    read_up_to = serializers.DateTimeField(allow_null=True)
    last_read_at = serializers.DateTimeField(allow_null=True)
    last_success_at = serializers.DateTimeField(allow_null=True)
    lag_seconds = serializers.IntegerField(allow_null=True)
    reading = serializers.BooleanField()
    deliveries = DeliveredOutput(many=True)
    backlog = BacklogOutput()
    counts = CountsOutput()


class SyncStatesOutput(serializers.Serializer[dict[str, list[SyncState]]]):
    """Every connection of the organization."""

    connections = SyncStateOutput(many=True)
