"""Tables of this app, a module for each matter."""

from runbooks.models.authoring import RunbookEdit, RunbookImage, RunbookLabel
from runbooks.models.matching import RunbookChoice, RunbookVectors
from runbooks.models.publishing import PublishingRule, ReviewRequest
from runbooks.models.runbooks import Runbook, folded
from runbooks.models.triggers import Trigger, TriggerFiring

__all__ = [
    "PublishingRule",
    "ReviewRequest",
    "Runbook",
    "RunbookChoice",
    "RunbookEdit",
    "RunbookImage",
    "RunbookLabel",
    "RunbookVectors",
    "Trigger",
    "TriggerFiring",
    "folded",
]
