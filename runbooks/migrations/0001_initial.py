import django.core.validators
import django.db.models.deletion
import django.db.models.manager
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("signals", "0001_initial"),
        ("tenants", "0001_initial"),
        ("tenants", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Runbook",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=255, validators=[django.core.validators.MinLengthValidator(5)])),
                ("description", models.TextField(blank=True)),
                ("body", models.TextField(help_text="Markdown; tools are mentioned as @vendor.verb_noun.")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("access", "Accounts and access"),
                            ("email", "E-mail and collaboration"),
                            ("hardware", "Hardware and printing"),
                            ("network", "Network and VPN"),
                            ("security", "Security"),
                            ("backup", "Backup and storage"),
                            ("software", "Software and licences"),
                            ("people", "Joiners and leavers"),
                            ("monitoring", "Monitoring alerts"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=12,
                    ),
                ),
                ("tags", models.JSONField(blank=True, default=list)),
                (
                    "audience",
                    models.CharField(
                        choices=[("ai", "AI agent"), ("hybrid", "Agent with technician"), ("human", "Human")],
                        default="hybrid",
                        max_length=8,
                    ),
                ),
                (
                    "inputs",
                    models.JSONField(
                        blank=True, default=list, help_text="Required inputs: name, label, type, required."
                    ),
                ),
                (
                    "on_success",
                    models.CharField(
                        choices=[("review", "Leave for review"), ("resolve", "Resolve")], default="review", max_length=8
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("archived", "Archived")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("forked_number", models.PositiveIntegerField(blank=True, null=True)),
                ("skipped_number", models.PositiveIntegerField(blank=True, null=True)),
                ("key", models.CharField(blank=True, editable=False, max_length=80)),
                ("published_number", models.PositiveIntegerField(blank=True, null=True)),
                ("published_record", models.PositiveBigIntegerField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty = global: all companies of the organization.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runbooks",
                        to="tenants.company",
                    ),
                ),
                (
                    "forked_from",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="forks",
                        to="runbooks.runbook",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tenants.membership",
                    ),
                ),
            ],
            options={
                "ordering": ["title", "id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [models.Index(fields=["organization", "status"], name="runbooks_ru_organiz_31067d_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True),
                        fields=("organization", "key"),
                        name="runbook_key_once",
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="RunbookImage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("content", models.BinaryField()),
                ("content_type", models.CharField(max_length=20)),
                ("digest", models.CharField(help_text="SHA-256 of the content.", max_length=64)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("uploaded_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tenants.membership",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "digest"), name="a_picture_once_an_organization")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="RunbookVectors",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "record",
                    models.PositiveBigIntegerField(help_text="The history record that holds the published text."),
                ),
                ("encoder", models.CharField(max_length=80)),
                ("vectors", models.BinaryField()),
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
                    models.UniqueConstraint(fields=("organization", "record", "encoder"), name="runbook_vectors_once")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="PublishingRule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "second_person",
                    models.BooleanField(
                        default=False,
                        help_text="One person asks for the review of a draft, another one reads and publishes it.",
                        verbose_name="a second person publishes",
                    ),
                ),
                ("set_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.membership",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [models.UniqueConstraint(fields=("organization",), name="publishing_rule_once")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ReviewRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("record", models.PositiveBigIntegerField()),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("open", "Waiting"), ("published", "Published"), ("returned", "Sent back")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, max_length=300)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.membership",
                    ),
                ),
                (
                    "asked_by",
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
                    "runbook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reviews", to="runbooks.runbook"
                    ),
                ),
            ],
            options={
                "ordering": ["-asked_at", "id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", "open")), fields=("runbook",), name="review_request_open_once"
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalRunbook",
            fields=[
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ("title", models.CharField(max_length=255, validators=[django.core.validators.MinLengthValidator(5)])),
                ("description", models.TextField(blank=True)),
                ("body", models.TextField(help_text="Markdown; tools are mentioned as @vendor.verb_noun.")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("access", "Accounts and access"),
                            ("email", "E-mail and collaboration"),
                            ("hardware", "Hardware and printing"),
                            ("network", "Network and VPN"),
                            ("security", "Security"),
                            ("backup", "Backup and storage"),
                            ("software", "Software and licences"),
                            ("people", "Joiners and leavers"),
                            ("monitoring", "Monitoring alerts"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=12,
                    ),
                ),
                ("tags", models.JSONField(blank=True, default=list)),
                (
                    "audience",
                    models.CharField(
                        choices=[("ai", "AI agent"), ("hybrid", "Agent with technician"), ("human", "Human")],
                        default="hybrid",
                        max_length=8,
                    ),
                ),
                (
                    "inputs",
                    models.JSONField(
                        blank=True, default=list, help_text="Required inputs: name, label, type, required."
                    ),
                ),
                (
                    "on_success",
                    models.CharField(
                        choices=[("review", "Leave for review"), ("resolve", "Resolve")], default="review", max_length=8
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("archived", "Archived")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("forked_number", models.PositiveIntegerField(blank=True, null=True)),
                ("skipped_number", models.PositiveIntegerField(blank=True, null=True)),
                ("key", models.CharField(blank=True, editable=False, max_length=80)),
                ("published_number", models.PositiveIntegerField(blank=True, null=True)),
                ("published_record", models.PositiveBigIntegerField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(blank=True, editable=False)),
                ("changed_at", models.DateTimeField(blank=True, editable=False)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty = global: all companies of the organization.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.company",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.membership",
                    ),
                ),
                (
                    "forked_from",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="runbooks.runbook",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical runbook",
                "verbose_name_plural": "historical runbooks",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RunbookChoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("chosen_at", models.DateTimeField(auto_now_add=True)),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tenants.membership",
                    ),
                ),
                (
                    "chosen",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="choices",
                        to="runbooks.runbook",
                    ),
                ),
                (
                    "offered",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="runbooks.runbook",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runbook_choices", to="signals.signal"
                    ),
                ),
            ],
            options={
                "ordering": ["-chosen_at", "id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [models.Index(fields=["organization", "-chosen_at"], name="runbooks_ru_organiz_6fa984_idx")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="RunbookEdit",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("content", models.JSONField(blank=True, default=dict)),
                ("based_on", models.PositiveBigIntegerField(blank=True, null=True)),
                ("seen_at", models.DateTimeField()),
                ("saved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.membership"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "runbook",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="edits",
                        to="runbooks.runbook",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "runbook"), name="one_edit_a_person_and_runbook"),
                    models.UniqueConstraint(
                        condition=models.Q(("runbook", None)),
                        fields=("member",),
                        name="one_edit_of_a_new_runbook_a_person",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="RunbookLabel",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("tag", "Tag"), ("system", "System")], max_length=6)),
                ("word", models.CharField(max_length=100)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "runbook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="labels", to="runbooks.runbook"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(fields=["organization", "kind", "word"], name="runbooks_ru_organiz_031a54_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("runbook", "kind", "word"), name="a_label_once_a_runbook")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Trigger",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("classification", "Ticket type"),
                            ("alert", "Alert type"),
                            ("schedule", "Schedule"),
                            ("manual", "Started by hand, without a ticket"),
                        ],
                        max_length=14,
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "type",
                    models.CharField(blank=True, help_text="The ticket's type, as the source names it.", max_length=80),
                ),
                ("subtype", models.CharField(blank=True, help_text="Empty = any subtype.", max_length=80)),
                ("alert_type", models.CharField(blank=True, help_text="As the monitoring posts it.", max_length=120)),
                (
                    "cron",
                    models.CharField(
                        blank=True, help_text="Minute, hour, day, month, weekday: 0 3 * * mon", max_length=120
                    ),
                ),
                ("time_zone", models.CharField(default="UTC", help_text="For example Europe/Berlin.", max_length=64)),
                (
                    "grace_minutes",
                    models.PositiveIntegerField(default=60, help_text="Later than this, a missed start is skipped."),
                ),
                ("next_due", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "inputs",
                    models.JSONField(blank=True, default=dict, help_text="Values of the runbook's inputs, by name."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "board",
                    models.ForeignKey(
                        blank=True,
                        help_text="Where the ticket of a run without one is opened.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="signals.board",
                    ),
                ),
                ("companies", models.ManyToManyField(blank=True, related_name="+", to="tenants.company")),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "runbook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="triggers", to="runbooks.runbook"
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [models.Index(fields=["kind", "enabled", "next_due"], name="runbooks_tr_kind_a1bbfa_idx")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="TriggerFiring",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("condition", models.CharField(max_length=160)),
                ("due_at", models.DateTimeField(help_text="When it should begin.")),
                ("inputs", models.JSONField(blank=True, default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Waiting for its turn"), ("started", "Started"), ("skipped", "Skipped")],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField(blank=True, help_text="Why it was skipped, or has to wait.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
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
                    "runbook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="firings", to="runbooks.runbook"
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="signals.signal",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tenants.membership",
                    ),
                ),
                (
                    "trigger",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="firings", to="runbooks.trigger"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(fields=["organization", "state", "due_at"], name="runbooks_tr_organiz_05bb3f_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("trigger", "condition"), name="trigger_fires_once_per_condition")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
    ]
