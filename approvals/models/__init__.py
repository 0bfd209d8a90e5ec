"""What is allowed (policies, grants), what is intended (actions) and who decided (decisions)."""

from approvals.models.actions import Action, Decision, StaleState
from approvals.models.origins import Origin
from approvals.models.records import ActionRecord
from approvals.models.rules import ApprovalPolicy, Grant
from approvals.models.secrets import ActionSecret

__all__ = ["Action", "ActionRecord", "ActionSecret", "ApprovalPolicy", "Decision", "Grant", "Origin", "StaleState"]
