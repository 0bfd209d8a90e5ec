"""Rules of when somebody is told of a ticket that needs an eye, and what came of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from approvals.models import Action
from junto.tenants.models import Membership
from junto.tenants.permissions import Role
from junto.tenants.scoping import TenantModel
from signals.models.findings import ProcessorResult
from signals.models.tickets import Board, Signal
from signals.querysets import EscalationQuerySet


class EscalationRule(TenantModel):
    """When a ticket meets `condition`, tell a role, a person, or both, and propose an internal note where one is given.

    No board = all boards, an empty priority = all priorities.
    """

    class Condition(models.TextChoices):
        AT_RISK = "at_risk", "A promise is at risk"
        BREACHED = "breached", "A promise is breached"
        STALE = "stale", "Nothing happens"
        BOUNCING = "bouncing", "It bounces"
        UNHAPPY = "unhappy", "The client is unhappy"
        PRIORITY = "priority", "It has this priority"

    name = models.CharField(max_length=80)
    condition = models.CharField(max_length=10, choices=Condition)
    board = models.ForeignKey(Board, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    priority = models.CharField(max_length=80, blank=True)
    notify_role = models.CharField(
        max_length=20, blank=True, choices=[(role.value, role.name.capitalize()) for role in Role]
    )
    notify_member = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name


class EscalationFiring(TenantModel):
    """A rule fired for a ticket; not again until that is over. `rule_name` and `words` stay true when the rule goes.

    It is over from `ended_at` on: when the ticket no longer meets the rule, is of another company than `seen_company`,
    or another promise than `promise` (`ServiceClock.Pending`; empty where the rule is of none) is at stake.

    Without a rule's name a processor did, once for a `result`. `reason` = what it rests on, besides. `told` = names of
    those who were. `note` waits to be proposed until there is an `action` or a `problem`.
    """

    rule = models.ForeignKey(EscalationRule, on_delete=models.SET_NULL, null=True, blank=True, related_name="firings")
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="escalations")
    seen_company = models.UUIDField(null=True, blank=True)
    promise = models.CharField(max_length=10, blank=True)
    result = models.OneToOneField(ProcessorResult, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    rule_name = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    words = models.CharField(max_length=80)
    told = models.JSONField(default=list)
    note = models.TextField(blank=True)
    action = models.ForeignKey(Action, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    problem = models.CharField(max_length=300, blank=True)
    fired_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = EscalationQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-fired_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "signal"], condition=models.Q(ended_at=None), name="escalation_once_until_over"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "-fired_at"])]
