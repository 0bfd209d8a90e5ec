"""What happened, and what was found out about it."""

from __future__ import annotations

from signals.models.back_tests import BackTest
from signals.models.checks import DriftCheck
from signals.models.escalation import EscalationFiring, EscalationRule
from signals.models.findings import ModelQuestion, ProcessorResult, ReviewItem
from signals.models.imports import RefusedRow, TicketImport
from signals.models.processors import ProcessorRule, ProcessorSetting, TrainedModel
from signals.models.records import SignalAttachment, SignalTime
from signals.models.reruns import Rerun
from signals.models.service import ServiceClock, ServiceHours, ServiceTarget
from signals.models.tickets import Board, Signal, SignalNote
from signals.models.windows import MaintenanceWindow

__all__ = [
    "BackTest",
    "Board",
    "DriftCheck",
    "EscalationFiring",
    "EscalationRule",
    "MaintenanceWindow",
    "ModelQuestion",
    "ProcessorResult",
    "ProcessorRule",
    "ProcessorSetting",
    "RefusedRow",
    "Rerun",
    "ReviewItem",
    "ServiceClock",
    "ServiceHours",
    "ServiceTarget",
    "Signal",
    "SignalAttachment",
    "SignalNote",
    "SignalTime",
    "TicketImport",
    "TrainedModel",
]
