import django.db.models.deletion
import django.db.models.manager
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("approvals", "0001_initial"),
        ("runbooks", "0001_initial"),
        ("signals", "0001_initial"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AgentSession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("runbook_number", models.PositiveIntegerField(blank=True, null=True)),
                ("runbook_record", models.PositiveBigIntegerField(blank=True, null=True)),
                ("runbook_score", models.FloatField(blank=True, null=True)),
                ("runbook_reason", models.TextField(blank=True)),
                (
                    "inputs",
                    models.JSONField(
                        blank=True, default=dict, help_text="Values of the runbook's inputs for this run."
                    ),
                ),
                (
                    "by_company",
                    models.BooleanField(
                        default=False, help_text="A firing without a ticket: the company is the target."
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Working"),
                            ("waiting_for_approval", "Needs approval"),
                            ("waiting_for_technician", "Waiting for reply"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                        ],
                        default="queued",
                        max_length=24,
                    ),
                ),
                ("state_detail", models.TextField(blank=True)),
                ("model_label", models.CharField(blank=True, max_length=120)),
                ("rehearsal", models.BooleanField(default=False)),
                ("last_number", models.PositiveIntegerField(default=0)),
                ("seen_number", models.PositiveIntegerField(default=0)),
                (
                    "steps_used",
                    models.PositiveIntegerField(default=0, help_text="Answers of the model since a person last spoke."),
                ),
                ("work_seconds", models.FloatField(default=0, help_text="Seconds of work since a person last spoke.")),
                ("tokens_in", models.PositiveBigIntegerField(default=0)),
                ("tokens_out", models.PositiveBigIntegerField(default=0)),
                ("cost_microcents", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.company"
                    ),
                ),
                (
                    "firing",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="session",
                        to="runbooks.triggerfiring",
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="approvals.origin"
                    ),
                ),
                (
                    "runbook",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="runbooks.runbook",
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="signals.signal"
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
            ],
            options={
                "ordering": ["-created_at"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [models.Index(fields=["organization", "state"], name="agent_agent_organiz_fa16d3_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "running", "waiting_for_approval", "waiting_for_technician"])
                        ),
                        fields=("signal",),
                        name="session_one_live_per_signal",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("by_company", True),
                            ("state__in", ["queued", "running", "waiting_for_approval", "waiting_for_technician"]),
                        ),
                        fields=("runbook", "runbook_number", "company"),
                        name="session_one_run_per_target",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Instruction",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", models.TextField()),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "company"), name="instruction_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("company", None)), fields=("organization",), name="instruction_once_for_all"
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Replay",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("record", models.PositiveBigIntegerField(help_text="The history record of the draft.")),
                ("published_record", models.PositiveBigIntegerField(blank=True, null=True)),
                ("published_number", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting for its turn"),
                            ("running", "Working"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("detail", models.TextField(blank=True, help_text="Why it ended before its end.")),
                ("model_label", models.CharField(max_length=120)),
                ("rehearsal", models.BooleanField(default=False)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="replays", to="runbooks.runbook"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [models.Index(fields=["organization", "state"], name="agent_repla_organiz_476c41_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("runbook",),
                        name="replay_one_live_per_runbook",
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="StartRule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("off", "Off"),
                            ("prepare", "Prepare: look up and report only"),
                            ("run", "Run: prepare, and run a matched AI runbook"),
                        ],
                        default="prepare",
                        max_length=8,
                    ),
                ),
                (
                    "board",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="signals.board",
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
                    models.UniqueConstraint(fields=("organization", "board"), name="start_rule_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("board", None)), fields=("organization",), name="start_rule_once_by_default"
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ReplayedSignal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Not yet"), ("done", "Done"), ("left_out", "Left out")],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("detail", models.CharField(blank=True, help_text="Why it was left out.", max_length=300)),
                ("differs", models.BooleanField(default=False)),
                ("added", models.PositiveSmallIntegerField(default=0)),
                ("removed", models.PositiveSmallIntegerField(default=0)),
                ("changed", models.PositiveSmallIntegerField(default=0)),
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
                    "replay",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="signals", to="agent.replay"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="agent.agentsession",
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="signals.signal"
                    ),
                ),
            ],
            options={
                "ordering": ["replay", "position"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("replay", "signal"), name="replayed_signal_once"),
                    models.UniqueConstraint(fields=("replay", "position"), name="replayed_signal_position_once"),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="RunStep",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("label", models.CharField(max_length=16)),
                ("title", models.CharField(max_length=200)),
                (
                    "decision",
                    models.BooleanField(default=False, help_text="A person chooses one of the runbook's options."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Not yet"),
                            ("running", "Working"),
                            ("waiting", "Needs a person"),
                            ("done", "Done"),
                            ("skipped", "Skipped"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("calls", models.JSONField(blank=True, default=list)),
                ("attempt", models.PositiveSmallIntegerField(default=1)),
                ("answer", models.CharField(blank=True, max_length=300)),
                ("reason", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
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
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="agent.agentsession"
                    ),
                ),
            ],
            options={
                "ordering": ["session", "number"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [models.UniqueConstraint(fields=("session", "number"), name="run_step_once")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SessionEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=30)),
                ("payload", models.JSONField(default=dict)),
                ("action_state", models.CharField(blank=True, max_length=10)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="approvals.action",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="agent.agentsession"
                    ),
                ),
            ],
            options={
                "ordering": ["session", "number"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("session", "number"), name="session_event_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("action__isnull", False)),
                        fields=("session", "action", "action_state"),
                        name="session_event_action_state_once",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ReplayLane",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("happened", "What happened"),
                            ("published", "The version in force"),
                            ("draft", "The draft"),
                        ],
                        max_length=9,
                    ),
                ),
                ("calls", models.JSONField(blank=True, default=list)),
                ("end", models.CharField(help_text="How it ended, in words.", max_length=300)),
                ("words", models.TextField(blank=True, help_text="The last that the model said.")),
                ("runs", models.PositiveSmallIntegerField(default=0)),
                ("asks", models.PositiveSmallIntegerField(default=0)),
                ("refusals", models.PositiveSmallIntegerField(default=0)),
                ("unseen", models.PositiveSmallIntegerField(default=0)),
                ("answers", models.PositiveSmallIntegerField(default=0, help_text="Answers of the model.")),
                ("tokens_in", models.PositiveBigIntegerField(default=0)),
                ("tokens_out", models.PositiveBigIntegerField(default=0)),
                ("cost_microcents", models.BigIntegerField(default=0)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.organization"
                    ),
                ),
                (
                    "replayed",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lanes", to="agent.replayedsignal"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [models.UniqueConstraint(fields=("replayed", "kind"), name="replay_lane_once")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
    ]
