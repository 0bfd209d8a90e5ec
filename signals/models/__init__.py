"""What happened, and what was found out about it."""

from __future__ import annotations

from signals.models.findings import ProcessorResult, ReviewItem
from signals.models.processors import ProcessorRule, ProcessorSetting, TrainedModel
from signals.models.records import SignalAttachment, SignalTime
from signals.models.tickets import Board, Signal, SignalNote

__all__ = [
    "Board",
    "ProcessorResult",
    "ProcessorRule",
    "ProcessorSetting",
    "ReviewItem",
    "Signal",
    "SignalAttachment",
    "SignalNote",
    "SignalTime",
    "TrainedModel",
]
