"""What approvals refuse, by name. Every message is written for the person who reads it."""

from __future__ import annotations

from collections.abc import Mapping

from approvals.models import StaleState

__all__ = [
    "AlreadyDecided",
    "DecisionRefused",
    "DigestMismatch",
    "Drifted",
    "Expired",
    "InvalidArguments",
    "NoReason",
    "NotForSession",
    "NotYours",
    "PolicyForbids",
    "PreviewFailed",
    "SecretGone",
    "StaleLease",
    "StaleState",
    "TargetNotTyped",
]


class StaleLease(RuntimeError):
    """The fence is not the origin's current one, or the origin was stopped: this worker gives up (I21)."""


class DecisionRefused(Exception):
    """A person's word on an action was understood and not taken; nothing changed.

    `code` is for programs, `fields` says which values are wrong, by argument name.
    """

    code = "refused"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        self.fields: dict[str, str] = dict(fields or {})
        super().__init__(message)


class NotYours(DecisionRefused):
    """The actor may not decide this: not a person, or without the right for its risk on this company."""

    code = "not_yours"


class AlreadyDecided(DecisionRefused):
    """Somebody, or something, was first; the message says who and what."""

    code = "already_decided"


class Expired(DecisionRefused):
    """The request waited too long."""

    code = "expired"


class DigestMismatch(DecisionRefused):
    """What the person saw is not what is stored: the card must be read again."""

    code = "digest_mismatch"


class Drifted(DecisionRefused):
    """The ticket or the target changed after the request was made; the message says what."""

    code = "drifted"


class InvalidArguments(DecisionRefused):
    """The changed arguments do not fit the tool's schema; `fields` says where."""

    code = "invalid_arguments"


class NoReason(DecisionRefused):
    """A denial without a word why."""

    code = "no_reason"


class NotForSession(DecisionRefused):
    """This tool is decided one call at a time."""

    code = "not_for_session"


class TargetNotTyped(DecisionRefused):
    """A high-risk action is approved by typing its target's name, and that was not it."""

    code = "target_not_typed"


class PolicyForbids(DecisionRefused):
    """A policy now forbids the tool, whoever agrees."""

    code = "forbidden_by_policy"


class PreviewFailed(DecisionRefused):
    """The change could not be worked out, so it cannot be approved."""

    code = "preview_failed"


class SecretGone(DecisionRefused):
    """There is nothing to show: somebody read it, it waited too long, or the action set none."""

    code = "secret_gone"
