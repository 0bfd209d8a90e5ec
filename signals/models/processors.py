"""How an organization wants its processors: switches and options, rules, and what was learned from its own tickets."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from junto.tenants.models import Company
from junto.tenants.scoping import TenantModel, TenantQuerySet
from signals.models.tickets import Board


class ProcessorSettingQuerySet(TenantQuerySet[Any]):
    """Settings; those of the whole organization have no company."""

    company_path = "company"


class ProcessorSetting(TenantModel):
    """What differs from the processor's defaults, for the organization or (over that) for one company.

    `enabled` None = as the place above says. `options` holds only what was set here. Boards (none = all) and position
    are the organization's; a company's row leaves them.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    processor = models.CharField(max_length=40)
    enabled = models.BooleanField(null=True, blank=True)
    options = models.JSONField(default=dict, blank=True)
    boards = models.ManyToManyField(Board, blank=True, related_name="+")
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ProcessorSettingQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "processor"], condition=Q(company=None), name="processor_setting_once"
            ),
            models.UniqueConstraint(fields=["company", "processor"], name="processor_setting_once_per_company"),
        ]


class ProcessorRule(TenantModel):
    """An Admin's own rule: where the conditions hold, the label is given. The first that holds decides.

    `conditions`: a list of what signals/processors/rules.py calls Condition. `any_holds` = one is enough.
    """

    processor = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    conditions = models.JSONField(default=list)
    any_holds = models.BooleanField(default=False)
    label = models.CharField(max_length=120)
    tags = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["position", "created_at", "id"]


class TrainedModel(TenantModel):
    """What was learned for one processor, newest wins. `kept` is junto.learned's own form; empty with a `problem`.

    `taught` = the closed tickets and corrections it was learned from, those of labels too rare among them.
    """

    processor = models.CharField(max_length=40)
    kept = models.BinaryField(blank=True)
    digest = models.CharField(max_length=64, blank=True)
    taught = models.PositiveIntegerField()
    labels = models.JSONField(default=list)
    left_out = models.JSONField(default=dict)
    problem = models.CharField(max_length=300, blank=True)
    trained_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-trained_at", "id"]
        indexes: ClassVar = [models.Index(fields=["organization", "processor", "-trained_at"])]
