"""One intended tool call, and the decisions about it. Content never changes; state moves by compare-and-set."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from approvals.models.origins import Origin
from approvals.models.rules import ApprovalPolicy, Grant
from approvals.querysets import ActionQuerySet, DecisionQuerySet
from junto.audit.models import AppendOnly
from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel


class StaleState(RuntimeError):
    """The row was no longer in the state the transition starts from: somebody else moved it first."""


class Action(TenantModel):
    """One intended tool call. `arguments` are frozen at proposal; `digest` = SHA-256 over their canonical JSON (I2)."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        WAITING = "waiting", "Needs approval"
        APPROVED = "approved", "Queued"
        CLAIMED = "claimed", "Working"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Outcome unknown"
        SETTLED = "settled", "Settled"
        REFUSED = "refused", "Refused by rule"
        DENIED = "denied", "Denied"
        EXPIRED = "expired", "Too late"
        DRIFTED = "drifted", "Withdrawn"
        SUPERSEDED = "superseded", "Withdrawn"
        CANCELLED = "cancelled", "Withdrawn"

    #: States that never change again (TRUST (b)).
    TERMINAL: ClassVar[frozenset[str]] = frozenset(
        {
            State.SUCCEEDED,
            State.FAILED,
            State.SETTLED,
            State.REFUSED,
            State.DENIED,
            State.EXPIRED,
            State.DRIFTED,
            State.SUPERSEDED,
            State.CANCELLED,
        }
    )

    origin = models.ForeignKey(Origin, on_delete=models.CASCADE, related_name="actions")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    call_id = models.CharField(max_length=80, help_text="The model's own id of the call; unique in its origin.")
    tool = models.CharField(max_length=120)
    tool_pin = models.CharField(max_length=64, blank=True)
    category = models.CharField(max_length=10, blank=True)
    risk = models.CharField(max_length=10, blank=True)
    flags = models.JSONField(default=list)
    arguments = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    proposed_kind = models.CharField(max_length=10, help_text="Kind of the actor who asked: person, token or system.")
    proposed_by = models.CharField(max_length=200, help_text="Who asked, by name.")
    runbook_step = models.CharField(max_length=120, blank=True)
    revision = models.BigIntegerField(default=0, help_text="The subject's revision when this was proposed.")
    title = models.CharField(max_length=300)
    preview = models.JSONField(default=dict)
    target_digest = models.CharField(max_length=64, blank=True, help_text="What the target looked like when asked.")
    observed_digest = models.CharField(max_length=64, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True, help_text="When the target was last looked at.")
    seen_revision = models.BigIntegerField(
        null=True, blank=True, help_text="The subject's newest revision at which the target was still as when asked."
    )

    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    reason = models.TextField(blank=True, help_text="Why refused, denied, drifted, cancelled, failed or unknown.")
    why_asked = models.CharField(max_length=300, blank=True, help_text="Why a person had to decide.")
    session_grant = models.BooleanField(default=False, help_text="Approving may cover the rest of the session.")
    policy = models.ForeignKey(ApprovalPolicy, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    grant = models.ForeignKey(Grant, on_delete=models.SET_NULL, null=True, blank=True, related_name="actions")
    unattended = models.BooleanField(default=False)
    replaces = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaced_by", help_text="Modified from."
    )
    passed_to = models.CharField(max_length=20, blank=True, help_text="The right it waits for (a permission codename).")
    fence = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=80, blank=True)
    result = models.JSONField(null=True, blank=True, help_text="What the tool answered, whole.")
    summary = models.CharField(max_length=500, blank=True, help_text="The result in one line.")
    foreign = models.BooleanField(default=False, help_text="The result holds text that strangers wrote.")
    evidence = models.TextField(blank=True)
    settled_done = models.BooleanField(null=True, blank=True)
    read_backs = models.PositiveSmallIntegerField(default=0, help_text="How often the outcome was looked for.")
    read_back_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ActionQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["origin", "call_id"], condition=Q(replaces=None), name="action_call_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "state", "created_at"]),
            models.Index(fields=["state", "expires_at"]),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only; afterwards `move` changes the state. Raises AppendOnly on a second save."""
        if not self._state.adding:
            raise AppendOnly("An action is never saved again: its content stays, its state is moved.")
        super().save(*args, **kwargs)

    @property
    def happened(self) -> bool:
        """Whether it was done: it succeeded, or a person settled an unknown outcome as done."""
        return self.state == self.State.SUCCEEDED or (self.state == self.State.SETTLED and bool(self.settled_done))

    @property
    def is_write(self) -> bool:
        """Whether running it changes something at the vendor."""
        return self.category != "read"

    def move(
        self,
        *,
        to: State,
        frm: State | tuple[State, ...],
        within: ActionQuerySet | None = None,
        **changes: object,
    ) -> Self:
        """Move the state by an UPDATE whose WHERE repeats the old one; returns this row as it is now.

        `within` holds further conditions of that same statement. What the database worked out itself (`Now()`) is read
        when it is looked at.

        Raises:
            StaleState: no row was in `frm` any more, or `within` did not hold it.
        """
        sources = frm if isinstance(frm, tuple) else (frm,)
        if to in self.TERMINAL:
            changes.setdefault("finished_at", Now())
        rows = type(self).objects.for_organization(self.organization) if within is None else within
        if not rows.filter(pk=self.pk, state__in=sources).update(state=to, **changes):
            raise StaleState(f"Action {self.pk} is no longer {' or '.join(sources)}.")
        for name, value in {"state": to, **changes}.items():
            if hasattr(value, "resolve_expression"):
                self.__dict__.pop(name, None)
            else:
                setattr(self, name, value)
        return self


class Decision(TenantModel):
    """A person's word on one action, with the digest of the arguments they saw and the pin of the tool. Append only.

    Where two must approve, the first may take the approval back: a word of its own, after which both stand here.
    """

    class Verdict(models.TextChoices):
        APPROVE = "approve", "Approved"
        APPROVE_SESSION = "approve_session", "Approved for this session"
        DENY = "deny", "Denied"
        TAKE_BACK = "take_back", "Approval taken back"

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="decisions")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=16, choices=Verdict)
    digest = models.CharField(max_length=64)
    tool_pin = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    modified = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DecisionQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["action", "membership", "verdict"], name="decision_once_per_member"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only. Raises AppendOnly on a second save; the database refuses an update by itself."""
        if not self._state.adding:
            raise AppendOnly("Decisions are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raises AppendOnly always."""
        raise AppendOnly("Decisions are never deleted.")
