"""The verbs of approvals, for the floors above."""

from __future__ import annotations

from approvals.decisions import (
    ChangedPreview,
    Verdict,
    decide_action,
    pass_on,
    preview_change,
    settle_action,
)
from approvals.errors import (
    AlreadyDecided,
    DecisionRefused,
    DigestMismatch,
    Drifted,
    Expired,
    InvalidArguments,
    NoReason,
    NotForSession,
    NotYours,
    PolicyForbids,
    PreviewFailed,
    SecretGone,
    StaleLease,
    TargetNotTyped,
)
from approvals.grants import GrantDraft, issue_grants, policy_rules, revoke_grants
from approvals.origins import (
    cancel_actions,
    lock_origin,
    move_subject,
    open_origin,
    release_lease,
    renew_lease,
    set_mode,
    set_open_steps,
    stop_origin,
    take_lease,
)
from approvals.people import Deciders, may_decide, waiting_for, who_may_decide
from approvals.proposals import offered_tools, propose_action
from approvals.revealing import may_have_secret, reveal_secret, secret_words
from approvals.sweeps import expire_actions

__all__ = [
    "AlreadyDecided",
    "ChangedPreview",
    "Deciders",
    "DecisionRefused",
    "DigestMismatch",
    "Drifted",
    "Expired",
    "GrantDraft",
    "InvalidArguments",
    "NoReason",
    "NotForSession",
    "NotYours",
    "PolicyForbids",
    "PreviewFailed",
    "SecretGone",
    "StaleLease",
    "TargetNotTyped",
    "Verdict",
    "cancel_actions",
    "decide_action",
    "expire_actions",
    "issue_grants",
    "lock_origin",
    "may_decide",
    "may_have_secret",
    "move_subject",
    "offered_tools",
    "open_origin",
    "pass_on",
    "policy_rules",
    "preview_change",
    "propose_action",
    "release_lease",
    "renew_lease",
    "reveal_secret",
    "revoke_grants",
    "secret_words",
    "set_mode",
    "set_open_steps",
    "settle_action",
    "stop_origin",
    "take_lease",
    "waiting_for",
    "who_may_decide",
]
