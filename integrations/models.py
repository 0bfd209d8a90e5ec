"""Connections to vendors and what was learned through them: links, contacts, devices, cursors, model spend."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower

from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel, TenantQuerySet


class Connection(TenantModel):
    """An organization's access to one vendor. Credentials are sealed; changing the host wipes them (TRUST 0.9)."""

    class State(models.TextChoices):
        UNTESTED = "untested", "Not tested"
        OK = "ok", "Working"
        FAILING = "failing", "Failing"
        PAUSED = "paused", "Paused"

    vendor = models.CharField(max_length=30)
    label = models.CharField(max_length=120)
    base_url = models.URLField(max_length=300)
    sealed_credentials = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.UNTESTED)
    state_detail = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True, help_text="When an admin took it away.")
    takes_alerts = models.BooleanField(default=False, help_text="What its monitoring finds becomes a signal.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "vendor"], name="connection_once_per_vendor"),
        ]

    def __str__(self) -> str:
        return self.label


class ConnectionPace(TenantModel):
    """How fast a connection may be used now: one row for all processes (integrations.traffic).

    `next_at` = when the next request would be due if all of them came evenly; `held_until` = as the vendor asked;
    `rests_until` = as long as it is left alone after `failures` in a row. `limit` and `remaining` as the vendor told.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="pace")
    next_at = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True)
    limit = models.BigIntegerField(null=True, blank=True)
    remaining = models.BigIntegerField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)


class ConnectionHour(TenantModel):
    """How many requests a connection sent in an hour, how many came to nothing, and how many were too many (429)."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    asked = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    throttled = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "hour"], name="connection_hour_once"),
        ]


class CompanyLink(TenantModel):
    """A Company's own id at one vendor. Without a link that vendor's tools are not offered for the company (I7)."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="links")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="links")
    external_id = models.CharField(max_length=80)
    external_name = models.CharField(max_length=200, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="When we heard that it is gone at the source.")

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            # in whatever case: two companies linked to one there would each reach the other's records (I7)
            models.UniqueConstraint("connection", Lower("external_id"), name="company_link_external_once"),
            models.UniqueConstraint(fields=["connection", "company"], name="company_link_company_once"),
        ]


#: Kinds of `ExternalRef`: what a ticket's notes may be, and a ticket that a tool opened.
NOTE_KIND, TIME_KIND, TICKET_KIND = "note", "time_entry", "ticket"


class ExternalRef(TenantModel):
    """A record that we ourselves wrote at a vendor, so that its coming back is known as our own echo."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30)
    external_id = models.CharField(max_length=80)
    action_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "kind", "external_id"], name="external_ref_once"),
        ]


class OfCompanyQuerySet(TenantQuerySet[Any]):
    """Rows that one company owns."""

    company_path = "company"


class Contact(TenantModel):
    """A person at a company, as the PSA knows them."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="contacts")
    external_id = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=120, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="When we heard that it is gone at the source.")

    objects = OfCompanyQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="contact_external_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Device(TenantModel):
    """A configuration of a company: workstation, server, printer, firewall."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="devices")
    external_id = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=120, blank=True)
    operating_system = models.CharField(max_length=120, blank=True)
    serial_number = models.CharField(max_length=120, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="When we heard that it is gone at the source.")

    objects = OfCompanyQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="device_external_once"),
        ]

    def __str__(self) -> str:
        return self.name


class DirectoryRecord(TenantModel):
    """What a sync job said last of a company, contact or device: tells news from repeats, in whatever order they come.

    `revision` = microseconds since 1970 of the source's own last update. A contact or device of a company that is not
    known yet waits here until the company comes.
    """

    class Kind(models.TextChoices):
        COMPANY = "company", "Company"
        CONTACT = "contact", "Contact"
        DEVICE = "device", "Device"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    external_id = models.CharField(max_length=80)
    company_external_id = models.CharField(max_length=80, blank=True)
    revision = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    deleted = models.BooleanField(default=False)
    told = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "kind", "external_id"], name="directory_record_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["connection", "kind", "company_external_id"])]


class SyncCursor(TenantModel):
    """How far a stream of a connection has been read: everything up to `high_water` at the source is here."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=30)
    high_water = models.DateTimeField(null=True, blank=True)
    ran_at = models.DateTimeField(null=True, blank=True)
    running_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "stream"], name="sync_cursor_once"),
        ]


class RefusedTicket(TenantModel):
    """A ticket that the poll read and could not store: kept, and shown to people, until it is stored or gone."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="refused_tickets")
    external_id = models.CharField(max_length=80)
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["created_at", "external_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="refused_ticket_once"),
        ]


class Webhook(TenantModel):
    """The door at which a vendor tells of changes: an address that nobody can guess, and who was turned away there.

    What opens it is sealed; the address is found by its token's digest. `wanted_key` = the vendor signed with a key
    that we do not hold yet.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="webhook")
    token_digest = models.CharField(max_length=64, unique=True)
    sealed_secrets = models.TextField()
    external_id = models.CharField(max_length=80, blank=True, help_text="Of our address in the vendor's own list.")
    registered_at = models.DateTimeField(null=True, blank=True)
    wanted_key = models.CharField(max_length=80, blank=True)
    key_asked_at = models.DateTimeField(null=True, blank=True)
    repeated = models.PositiveBigIntegerField(default=0)
    unsigned = models.PositiveBigIntegerField(default=0)
    forged = models.PositiveBigIntegerField(default=0)
    foreign = models.PositiveBigIntegerField(default=0)
    oversized = models.PositiveBigIntegerField(default=0)
    unreadable = models.PositiveBigIntegerField(default=0)
    refused_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Webhook of {self.connection.pk}"


class Consent(TenantModel):
    """A person at the vendor let the API client act in their name. One process at a time uses the token (`busy_until`).

    `membership` = who of ours had it given; `refused` = what the vendor said when it took the token no longer.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="consent")
    membership = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    sealed_token = models.TextField()
    scopes = models.CharField(max_length=200, blank=True)
    issuer = models.CharField(
        max_length=300, blank=True, help_text="The authorization server, where a server names it."
    )
    refused = models.CharField(max_length=300, blank=True)
    busy_until = models.DateTimeField(null=True, blank=True)
    given_at = models.DateTimeField(auto_now_add=True)


class CompanyConsent(TenantModel):
    """Whether a linked company let our app in, at a vendor that each company lets in by itself, as far as we heard.

    `said` = the vendor's words when it was refused; `lacking` = permissions that the last test found missing.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        GIVEN = "given", "Consented"
        REFUSED = "refused", "Refused"
        MISSING = "missing", "Not yet"

    link = models.OneToOneField(CompanyLink, on_delete=models.CASCADE, related_name="consent")
    state = models.CharField(max_length=10, choices=State)
    membership = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    said = models.CharField(max_length=300, blank=True)
    lacking = models.JSONField(default=list, blank=True)
    changed_at = models.DateTimeField(help_text="Since when it is so.")
    tested_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="When a call of ours was last let in.")


class ConsentRequest(TenantModel):
    """Somebody is on their way to the vendor's page. Found by its state's digest; opens once.

    With `link` an administrator of that company is, who lets the whole app in: then there is no verifier.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    link = models.ForeignKey(CompanyLink, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    state_digest = models.CharField(max_length=64, unique=True)
    sealed_verifier = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class McpTool(TenantModel):
    """A tool of an MCP server: what the server says of it, and what an Admin says it is. Blocked until then.

    `definition` is what the server says now and `pin` its digest; `trusted` what it said when it was classified, and
    `trusted_server` where the connection led then. What differs from these blocks the tool. `problem` = why nobody can
    use it, whatever an Admin says.
    """

    class State(models.TextChoices):
        BLOCKED = "blocked", "Blocked"
        ALLOWED = "allowed", "In use"
        CHANGED = "changed", "Changed"
        GONE = "gone", "Gone"

    class Reach(models.TextChoices):
        ARGUMENT = "argument", "An argument names the company"
        COMPANY = "company", "All that the server knows is one company's"
        FREE = "free", "It knows no company's records"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="mcp_tools")
    name = models.CharField(max_length=200)
    definition = models.JSONField(default=dict)
    pin = models.CharField(max_length=64)
    trusted = models.JSONField(default=dict, blank=True)
    trusted_pin = models.CharField(max_length=64, blank=True)
    trusted_server = models.JSONField(default=dict, blank=True, help_text="Where the connection led when classified.")
    problem = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.BLOCKED)
    category = models.CharField(max_length=10, blank=True)
    risk = models.CharField(max_length=10, blank=True)
    flags = models.JSONField(default=list, blank=True)
    policy = models.CharField(max_length=10, blank=True)
    reach = models.CharField(max_length=10, choices=Reach, blank=True)
    company_argument = models.CharField(max_length=80, blank=True)
    company_field = models.CharField(
        max_length=80, blank=True, help_text="Which field of its answers names the company."
    )
    company = models.ForeignKey(Company, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    classified_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    classified_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True, help_text="When the server was found to say otherwise.")
    listed_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "name"], name="mcp_tool_once"),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookHint(TenantModel):
    """A delivery that was believed so far: look at this record. Kept some days, so that a repeat is known for one."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="hints")
    kind = models.CharField(max_length=20)
    external_id = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, help_text="Of the body as it came.")
    received_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the record was read back.")

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["received_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "digest"], name="webhook_hint_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["connection", "received_at"], condition=models.Q(read_at=None), name="webhook_unread"),
            models.Index(fields=["read_at"], name="webhook_read"),
        ]


class ModelUsage(TenantModel):
    """Tokens and money of one model call. `reserved` until the call ended, so that a crash still counts (I15).

    What a dead step set aside stays, and is booked by a sweep.
    """

    company = models.ForeignKey(Company, on_delete=models.SET_NULL, null=True, related_name="+")
    subject = models.CharField(max_length=80)
    model = models.CharField(max_length=120)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    cost_microcents = models.BigIntegerField(default=0, help_text="Millionths of a cent.")
    reserved = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        indexes: ClassVar = [models.Index(fields=["organization", "created_at"])]
