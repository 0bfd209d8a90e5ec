"""Who must agree before a draft is in force: an organization's rule, and each time somebody was asked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel
from runbooks.models.runbooks import Runbook
from runbooks.querysets import ReviewQuerySet


class PublishingRule(TenantModel):
    """An organization's rule on publishing. No row = whoever may publish does so alone."""

    second_person = models.BooleanField(
        "a second person publishes",
        default=False,
        help_text="One person asks for the review of a draft, another one reads and publishes it.",
    )
    set_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", editable=False)
    set_at = models.DateTimeField(auto_now=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization"], name="publishing_rule_once"),
        ]

    def __str__(self) -> str:
        return "A second person publishes" if self.second_person else "Whoever may publish does so alone"


class ReviewRequest(TenantModel):
    """Somebody stands behind one saved draft (`record` of the history) and asks another person to publish it.

    It speaks of that record only: any later save leaves it behind.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", "Waiting"
        PUBLISHED = "published", "Published"
        RETURNED = "returned", "Sent back"

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="reviews")
    record = models.PositiveBigIntegerField()
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=300, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN)
    answered_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-asked_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["runbook"], condition=models.Q(outcome="open"), name="review_request_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asked_by.user.display_name} asks for a review of “{self.runbook.title}”"
