"""Sessions, and everything that was said and done in them, in order; rules of when the agent starts by itself."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from agent.querysets import InstructionQuerySet, OfSessionQuerySet, SessionQuerySet
from approvals.models import Action, Origin, StaleState
from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel
from runbooks.models import Runbook, TriggerFiring
from signals.models import Board, Signal


class AgentSession(TenantModel):
    """One conversation about one signal. `last_number` is the counter of its events, locked while one is appended.

    `seen_number` = the last event that a step took into account; a higher `last_number` means there is something to do.
    The lease and its fence stand on `origin`. Tokens and cost (millionths of a cent) are sums over its model calls.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Working"
        WAITING_FOR_APPROVAL = "waiting_for_approval", "Needs approval"
        WAITING_FOR_TECHNICIAN = "waiting_for_technician", "Waiting for reply"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    LIVE: ClassVar[tuple[str, ...]] = (
        State.QUEUED,
        State.RUNNING,
        State.WAITING_FOR_APPROVAL,
        State.WAITING_FOR_TECHNICIAN,
    )

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="sessions")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    origin = models.OneToOneField(Origin, on_delete=models.CASCADE, related_name="+")
    runbook = models.ForeignKey(Runbook, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    runbook_number = models.PositiveIntegerField(null=True, blank=True)
    runbook_record = models.PositiveBigIntegerField(null=True, blank=True)
    runbook_score = models.FloatField(null=True, blank=True)
    runbook_reason = models.TextField(blank=True)
    inputs = models.JSONField(default=dict, blank=True, help_text="Values of the runbook's inputs for this run.")
    firing = models.OneToOneField(
        TriggerFiring, on_delete=models.SET_NULL, null=True, blank=True, related_name="session"
    )
    by_company = models.BooleanField(default=False, help_text="A firing without a ticket: the company is the target.")
    state = models.CharField(max_length=24, choices=State, default=State.QUEUED)
    state_detail = models.TextField(blank=True)
    started_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    model_label = models.CharField(max_length=120, blank=True)
    rehearsal = models.BooleanField(default=False)
    last_number = models.PositiveIntegerField(default=0)
    seen_number = models.PositiveIntegerField(default=0)
    steps_used = models.PositiveIntegerField(default=0, help_text="Answers of the model since a person last spoke.")
    work_seconds = models.FloatField(default=0, help_text="Seconds of work since a person last spoke.")
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    cost_microcents = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["signal"],
                condition=Q(state__in=["queued", "running", "waiting_for_approval", "waiting_for_technician"]),
                name="session_one_live_per_signal",
            ),
            # a run of a firing without a ticket has the company for its target
            models.UniqueConstraint(
                fields=["runbook", "runbook_number", "company"],
                condition=Q(
                    state__in=["queued", "running", "waiting_for_approval", "waiting_for_technician"],
                    by_company=True,
                ),
                name="session_one_run_per_target",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "state"])]

    def __str__(self) -> str:
        return f"Session on {self.signal}"

    @property
    def is_live(self) -> bool:
        """Whether it can still go on."""
        return self.state in self.LIVE

    def move(self, *, to: State, frm: tuple[str, ...] = LIVE, detail: str = "") -> Self:
        """Move the state by an UPDATE whose WHERE repeats the old one; returns this row with what it wrote.

        Raises:
            StaleState: it was no longer in one of `frm`.
        """
        now = timezone.now()
        ended = None if to in self.LIVE else now
        changed = AgentSession.unscoped.filter(pk=self.pk, state__in=frm).update(
            state=to, state_detail=detail, ended_at=ended, changed_at=now
        )
        if not changed:
            raise StaleState(f"Session {self.pk} is no longer {' or '.join(frm)}.")
        self.state, self.state_detail, self.ended_at, self.changed_at = to, detail, ended, now
        return self


class SessionEvent(TenantModel):
    """One thing said or done, numbered from 1 without gap in its session. Append only (I13)."""

    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=30)
    payload = models.JSONField(default=dict)
    action = models.ForeignKey(Action, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    action_state = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OfSessionQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["session", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "number"], name="session_event_number_once"),
            models.UniqueConstraint(
                fields=["session", "action", "action_state"],
                condition=Q(action__isnull=False),
                name="session_event_action_state_once",
            ),
        ]


class RunStep(TenantModel):
    """One step of the pinned runbook in one session: how far it is, whose calls are its own, and who had a hand in it.

    `number` counts the steps from 1, `label` is what the runbook calls this one, and people with it. `calls` are call
    ids of the session's actions; `attempt` grows with every retry, and only calls of the present one count. `answer`
    is the option chosen at a decision.

    PASSED = the run went on behind it, but it mentions no tool and nobody ticked it: whether it was done is not known.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Not yet"
        RUNNING = "running", "Working"
        WAITING = "waiting", "Needs a person"
        DONE = "done", "Done"
        PASSED = "passed", "Not recorded"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"

    #: A step in one of these is over; the run goes on behind it.
    OVER: ClassVar[tuple[str, ...]] = (State.DONE, State.PASSED, State.SKIPPED)

    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    decision = models.BooleanField(default=False, help_text="A person chooses one of the runbook's options.")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    calls = models.JSONField(default=list, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    answer = models.CharField(max_length=300, blank=True)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OfSessionQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["session", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "number"], name="run_step_once")]

    def __str__(self) -> str:
        return f"{self.label}. {self.title}"


class StartRule(TenantModel):
    """Whether the agent starts by itself on new signals of a board (`board` empty = all others). Default prepare."""

    class Mode(models.TextChoices):
        OFF = "off", "Off"
        PREPARE = "prepare", "Prepare: look up and report only"
        RUN = "run", "Run: prepare, and run a matched AI runbook"

    board = models.ForeignKey(Board, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.PREPARE)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "board"], name="start_rule_once"),
            # empty counts as distinct in a constraint, and SQLite knows no other way
            models.UniqueConstraint(
                fields=["organization"], condition=Q(board=None), name="start_rule_once_by_default"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.board or 'All other boards'}: {self.Mode(self.mode).name.lower()}"


class Instruction(TenantModel):
    """Standing words to the agent, of the organization or of one company."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    text = models.TextField()

    objects = InstructionQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "company"], name="instruction_once"),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(company=None), name="instruction_once_for_all"
            ),
        ]

    def __str__(self) -> str:
        return f"Instructions for {self.company or 'all companies'}"
