"""Tables of this app, a module for each matter."""

from runbooks.models.runbooks import Runbook

__all__ = ["Runbook"]
