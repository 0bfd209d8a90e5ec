"""Tables of this app, a module for each matter."""

from runbooks.models.runbooks import Runbook
from runbooks.models.triggers import Trigger, TriggerFiring

__all__ = ["Runbook", "Trigger", "TriggerFiring"]
