import django.db.models.deletion
import django.db.models.manager
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApprovalPolicy",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("tool", models.CharField(max_length=120)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("auto", "Runs by itself"),
                            ("once", "Ask once a session"),
                            ("always", "Always ask"),
                            ("disabled", "Off"),
                        ],
                        max_length=10,
                    ),
                ),
                ("never_unattended", models.BooleanField(default=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.company",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.membership"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "approval policies",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("company", None)),
                        fields=("organization", "tool"),
                        name="approval_policy_once",
                    ),
                    models.UniqueConstraint(
                        fields=("organization", "tool", "company"), name="approval_policy_company_once"
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Origin",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("session", "Session"), ("processor", "Processor"), ("by_hand", "By Hand")],
                        max_length=12,
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("subject", models.CharField(help_text="`signal:<id>` or `firing:<id>`.", max_length=80)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("prepare", "Prepare"),
                            ("triage", "Triage"),
                            ("runbook", "Runbook"),
                            ("processor", "Processor"),
                            ("by_hand", "By Hand"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "runbook",
                    models.CharField(
                        blank=True,
                        help_text="`<runbook id>:<version number>` of the pinned version in runbook mode.",
                        max_length=80,
                    ),
                ),
                ("revision", models.BigIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                ("stop_reason", models.TextField(blank=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("calls_used", models.PositiveIntegerField(default=0)),
                ("writes_used", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.company"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [models.Index(fields=["organization", "subject"], name="approvals_o_organiz_4f2b63_idx")],
                "constraints": [models.UniqueConstraint(fields=("kind", "key"), name="origin_key_once")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("session", "Session"), ("runbook", "Runbook"), ("processor", "Processor")],
                        max_length=10,
                    ),
                ),
                ("tool", models.CharField(max_length=120)),
                ("tool_pin", models.CharField(max_length=64)),
                ("runbook", models.CharField(blank=True, help_text="`<runbook id>:<version number>`", max_length=80)),
                ("step", models.CharField(blank=True, max_length=40)),
                ("rules", models.JSONField(default=dict)),
                ("words", models.TextField(help_text="The grant in plain words.")),
                ("max_count", models.PositiveIntegerField(blank=True, null=True)),
                ("issued_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.company",
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.membership"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="approvals.origin",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(fields=["organization", "tool", "revoked_at"], name="approvals_g_organiz_68968d_idx")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Action",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "call_id",
                    models.CharField(help_text="The model's own id of the call; unique in its origin.", max_length=80),
                ),
                ("tool", models.CharField(max_length=120)),
                ("tool_pin", models.CharField(blank=True, max_length=64)),
                ("category", models.CharField(blank=True, max_length=10)),
                ("risk", models.CharField(blank=True, max_length=10)),
                ("flags", models.JSONField(default=list)),
                ("arguments", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=64)),
                (
                    "proposed_kind",
                    models.CharField(help_text="Kind of the actor who asked: person, token or system.", max_length=10),
                ),
                ("proposed_by", models.CharField(help_text="Who asked, by name.", max_length=200)),
                ("runbook_step", models.CharField(blank=True, max_length=120)),
                (
                    "revision",
                    models.BigIntegerField(default=0, help_text="The subject's revision when this was proposed."),
                ),
                ("title", models.CharField(max_length=300)),
                ("preview", models.JSONField(default=dict)),
                (
                    "target_digest",
                    models.CharField(blank=True, help_text="What the target looked like when asked.", max_length=64),
                ),
                ("observed_digest", models.CharField(blank=True, max_length=64)),
                (
                    "observed_at",
                    models.DateTimeField(blank=True, help_text="When the target was last looked at.", null=True),
                ),
                (
                    "seen_revision",
                    models.BigIntegerField(
                        blank=True,
                        help_text="The subject's newest revision at which the target was still as when asked.",
                        null=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("waiting", "Needs approval"),
                            ("approved", "Queued"),
                            ("claimed", "Working"),
                            ("succeeded", "Done"),
                            ("failed", "Failed"),
                            ("unknown", "Outcome unknown"),
                            ("settled", "Settled"),
                            ("refused", "Refused by rule"),
                            ("denied", "Denied"),
                            ("expired", "Too late"),
                            ("drifted", "Withdrawn"),
                            ("superseded", "Withdrawn"),
                            ("cancelled", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        blank=True, help_text="Why refused, denied, drifted, cancelled, failed or unknown."
                    ),
                ),
                ("why_asked", models.CharField(blank=True, help_text="Why a person had to decide.", max_length=300)),
                (
                    "session_grant",
                    models.BooleanField(default=False, help_text="Approving may cover the rest of the session."),
                ),
                ("unattended", models.BooleanField(default=False)),
                (
                    "passed_to",
                    models.CharField(
                        blank=True, help_text="The right it waits for (a permission codename).", max_length=20
                    ),
                ),
                ("fence", models.PositiveIntegerField(default=0)),
                ("claimed_by", models.CharField(blank=True, max_length=80)),
                ("result", models.JSONField(blank=True, help_text="What the tool answered, whole.", null=True)),
                ("summary", models.CharField(blank=True, help_text="The result in one line.", max_length=500)),
                (
                    "foreign",
                    models.BooleanField(default=False, help_text="The result holds text that strangers wrote."),
                ),
                ("evidence", models.TextField(blank=True)),
                ("settled_done", models.BooleanField(blank=True, null=True)),
                (
                    "read_backs",
                    models.PositiveSmallIntegerField(default=0, help_text="How often the outcome was looked for."),
                ),
                ("read_back_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.company"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        help_text="Modified from.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replaced_by",
                        to="approvals.action",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="approvals.approvalpolicy",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="actions",
                        to="approvals.grant",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="actions", to="approvals.origin"
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(fields=["organization", "state", "created_at"], name="approvals_a_organiz_98ae53_idx"),
                    models.Index(fields=["state", "expires_at"], name="approvals_a_state_6283c0_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("replaces", None)), fields=("origin", "call_id"), name="action_call_once"
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("approve", "Approved"),
                            ("approve_session", "Approved for this session"),
                            ("deny", "Denied"),
                            ("take_back", "Approval taken back"),
                        ],
                        max_length=16,
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("tool_pin", models.CharField(blank=True, max_length=64)),
                ("reason", models.TextField(blank=True)),
                ("modified", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="approvals.action"
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.membership"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("action", "membership", "verdict"), name="decision_once_per_member")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
    ]
