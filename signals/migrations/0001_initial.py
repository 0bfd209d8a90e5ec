import django.db.models.deletion
import django.db.models.manager
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("integrations", "0001_initial"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Board",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("external_id", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=120)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="boards", to="integrations.connection"
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
                "ordering": ["name"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "external_id"), name="board_external_once")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Signal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("external_id", models.CharField(max_length=80)),
                (
                    "company_external_id",
                    models.CharField(blank=True, help_text="As the source names it.", max_length=80),
                ),
                (
                    "contact_external_id",
                    models.CharField(blank=True, help_text="As the source names it.", max_length=80),
                ),
                (
                    "device_external_id",
                    models.CharField(blank=True, help_text="As the source names it.", max_length=80),
                ),
                ("assignee", models.CharField(blank=True, max_length=120)),
                ("subject", models.CharField(max_length=300)),
                ("description", models.TextField(blank=True)),
                ("source_status", models.CharField(blank=True, max_length=80)),
                ("closed_at_source", models.BooleanField(default=False)),
                ("priority", models.CharField(blank=True, max_length=80)),
                ("type", models.CharField(blank=True, max_length=80)),
                ("subtype", models.CharField(blank=True, max_length=80)),
                ("item", models.CharField(blank=True, max_length=80)),
                ("alert_type", models.CharField(blank=True, help_text="As the monitoring posts it.", max_length=120)),
                ("source_created_at", models.DateTimeField()),
                ("source_updated_at", models.DateTimeField()),
                ("revision", models.BigIntegerField()),
                (
                    "digest",
                    models.CharField(blank=True, help_text="Of what the source said in this revision.", max_length=64),
                ),
                ("raw", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "Not started"),
                            ("needs_review", "Needs review"),
                            ("triaging", "Working"),
                            ("in_review", "Proposed fix"),
                            ("resolved", "Resolved"),
                            ("dismissed", "Dismissed"),
                            ("merged", "Merged"),
                            ("gone", "Gone at the source"),
                        ],
                        default="new",
                        max_length=12,
                    ),
                ),
                (
                    "state_reason",
                    models.CharField(blank=True, help_text="Why a person must look, where one must.", max_length=300),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "board",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="signals",
                        to="signals.board",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signals",
                        to="tenants.company",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="signals",
                        to="integrations.connection",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="signals",
                        to="integrations.contact",
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="signals",
                        to="integrations.device",
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
                "ordering": ["-source_updated_at", "id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(
                        fields=["organization", "state", "-source_updated_at"], name="signals_sig_organiz_e10b37_idx"
                    ),
                    models.Index(
                        fields=["organization", "company", "-source_updated_at"], name="signals_sig_organiz_79ad5d_idx"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "external_id"), name="signal_external_once")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SignalNote",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("external_id", models.CharField(max_length=80)),
                ("author", models.CharField(blank=True, max_length=200)),
                ("text", models.TextField()),
                ("internal", models.BooleanField(default=True)),
                ("written_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="signals.signal"
                    ),
                ),
            ],
            options={
                "ordering": ["written_at", "external_id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("signal", "external_id"), name="signal_note_external_once")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
    ]
