"""Tables of this app, a module for each matter."""

from runbooks.models.authoring import RunbookEdit, RunbookImage, RunbookLabel
from runbooks.models.runbooks import Runbook
from runbooks.models.triggers import Trigger, TriggerFiring

__all__ = ["Runbook", "RunbookEdit", "RunbookImage", "RunbookLabel", "Trigger", "TriggerFiring"]
