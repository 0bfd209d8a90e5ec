"""Who thinks (sessions, with their events and steps), when the agent starts by itself, and replays of drafts."""

from agent.models.replays import Replay, ReplayedSignal, ReplayLane
from agent.models.sessions import AgentSession, Instruction, RunStep, SessionEvent, StartRule

__all__ = [
    "AgentSession",
    "Instruction",
    "Replay",
    "ReplayLane",
    "ReplayedSignal",
    "RunStep",
    "SessionEvent",
    "StartRule",
]
