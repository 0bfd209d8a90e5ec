"""A person's word on an action: approve, modify, deny, pass on, settle (HOUSE 3 step 6; I2, I4, I5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Now
from pydantic import JsonValue

from approvals import errors
from approvals.decidable import (
    how_it_stands,
    not_waiting,
    require_allowed,
    require_decider,
    require_digest,
    require_new_word,
    require_reason,
    require_same_target,
    require_target,
    require_waiting,
    tool_of,
    visible_action,
)
from approvals.execution import preview_action
from approvals.grants import issue_session_grant
from approvals.models import Action, Decision, StaleState
from approvals.people import deciders, needs_two, rights_that_suffice, role_words
from approvals.previews import StoredPreview
from approvals.proposals import RUN_WITHIN_SECONDS
from approvals.querysets import ActionQuerySet
from approvals.revealing import end_secret
from approvals.standing import approvers_of
from approvals.transitions import enter, move
from integrations.errors import IntegrationError
from integrations.errors import InvalidArguments as SchemaBroken
from integrations.tools import AnyTool, Flag
from junto.audit.services import record
from junto.bells import ring
from junto.canonical import NotCanonical
from junto.canonical import digest as fingerprint_of
from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require

Verdict = Decision.Verdict

MAX_REASON = 2000


@dataclass(frozen=True)
class ChangedPreview:
    """What changed arguments would do: frozen, previewed, and the digest to send back when approving them."""

    action: Action
    tool: AnyTool
    title: str
    arguments: dict[str, JsonValue]
    preview: StoredPreview
    digest: str

    @property
    def target_digest(self) -> str:
        """What the target looked like when this was worked out; of a look-up, which has none, what Junto fills in."""
        if self.tool.is_write:
            return self.preview.target_digest
        return fingerprint_of(self.preview.filled_in) if self.preview.filled_in else ""


def preview_change(*, action_id: UUID, actor: Actor, arguments: Mapping[str, JsonValue]) -> ChangedPreview:
    """What `arguments` would do instead of those asked for. Changes nothing; talks to the vendor.

    Raises:
        DecisionRefused: the actor may not modify it, it waits no more, or the arguments do not fit.
        Action.DoesNotExist: there is no such action for this actor.
    """
    action = visible_action(action_id, actor)
    require_decider(action, actor)
    require_waiting(action)
    return _changed(action, arguments)


def decide_action(
    *,
    action_id: UUID,
    actor: Actor,
    verdict: Verdict | str,
    digest: str,
    reason: str = "",
    arguments: Mapping[str, JsonValue] | None = None,
    target_digest: str = "",
    target: str = "",
) -> Action:
    """Write a person's decision: one per request, whoever presses at the same time.

    `digest` is the one the person was shown. With `arguments` that differ from those asked for, it is that of
    `preview_change`, and `target_digest` too: a target that changed since is refused. A new action with these
    arguments takes the old one's place. `target` is what the person typed for a high-risk action. Returns the action
    that will run, or the denied one.

    Raises:
        DecisionRefused: by name, when the decision was not taken; nothing changed.
        Action.DoesNotExist: there is no such action for this actor.
    """
    verdict = Verdict(verdict)
    action = visible_action(action_id, actor)
    if verdict is Verdict.DENY:
        return _deny(action, actor, digest=digest, reason=reason)
    if verdict is Verdict.TAKE_BACK:
        return _take_back(action, actor, digest=digest, reason=reason)
    require_decider(action, actor)
    require_waiting(action)
    changed = None
    if arguments is not None:
        changed = _changed(action, arguments)
        if changed.digest == action.digest:
            changed = None
    require_digest(digest, changed.digest if changed else action.digest)
    if changed is not None:
        require_same_target(target_digest, changed.target_digest)
    require_target(action, changed.preview if changed else None, target)
    require_allowed(action, session=verdict is Verdict.APPROVE_SESSION)
    return _approve(action, actor, verdict=verdict, changed=changed, reason=reason)


@transaction.atomic
def pass_on(*, action_id: UUID, actor: Actor, permission: str = "") -> str:
    """Hand a request to those who hold a right that suffices (empty = the lowest such); tells them. Who, in words.

    Raises:
        DecisionRefused: nobody there could decide it, or it waits no more.
    """
    action = visible_action(action_id, actor)
    require(actor, Permission.RUN_SESSIONS, action.company)
    require_waiting(action)
    enough = rights_that_suffice(action.risk)
    wanted = next((right for right in enough if permission in ("", right.value)), None)
    if wanted is None:
        raise errors.DecisionRefused("Those you chose may not decide this either.")
    members = [
        member
        for member in deciders(wanted, flags=action.flags, company=action.company)
        if actor.membership is None or member.pk != actor.membership.pk
    ]
    if not members:
        raise errors.DecisionRefused("Nobody else may decide this at present. Ask an Admin.")
    Action.objects.for_organization(action.organization).filter(pk=action.pk).update(passed_to=wanted.value)
    notify(
        members=members,
        kind="action.passed_on",
        title=f"Asks for your decision: {action.title}",
        body=f"{actor.label} passed this on. {action.company.name}.",
        path=f"approvals/?action={action.pk}",
        subject=f"action:{action.pk}",
    )
    ring("action.shown", str(action.pk))
    words = role_words(wanted)
    record(actor, "action.passed_on", action, {"to": wanted.value, "members": [str(each.pk) for each in members]})
    return words


@transaction.atomic
def settle_action(*, action_id: UUID, actor: Actor, done: bool, evidence: str) -> Action:
    """A person's word on an unknown outcome: done or not done, and how they know (I17).

    Raises:
        NotYours: without the right to decide such an action.
        AlreadyDecided: its outcome is known by now.
    """
    action = visible_action(action_id, actor)
    require_decider(action, actor)
    if not evidence.strip():
        raise errors.DecisionRefused("Say what you saw, so that others can follow it.", fields={"evidence": "Empty."})
    try:
        settled = move(
            action,
            to=Action.State.SETTLED,
            frm=Action.State.UNKNOWN,
            actor=actor,
            detail={"done": done, "evidence": evidence[:MAX_REASON]},
            settled_done=done,
            evidence=f"{actor.label}: {evidence[:MAX_REASON]}",
        )
    except StaleState as stale:
        action.refresh_from_db()
        raise errors.AlreadyDecided(how_it_stands(action)) from stale
    if Flag.SECRET in settled.flags:
        end_secret(settled, secret="")
    return settled


def _deny(action: Action, actor: Actor, *, digest: str, reason: str) -> Action:
    if actor.kind != "person":
        raise errors.NotYours("Only a person decides.")
    if not actor.can(Permission.RUN_SESSIONS, action.company):
        raise errors.NotYours(f"You may not run sessions for {action.company.name}, so you cannot deny this.")
    require_waiting(action)
    require_digest(digest, action.digest)
    require_reason(reason)
    with _one_decision(action, actor, verdict=Verdict.DENY):
        _decision(action, actor, Verdict.DENY, reason=reason)
        return move(
            action,
            to=Action.State.DENIED,
            frm=Action.State.WAITING,
            actor=actor,
            within=_still_waiting(action),
            reason=reason.replace("\x00", "")[:MAX_REASON],
            decided_at=Now(),
        )


def _take_back(action: Action, actor: Actor, *, digest: str, reason: str) -> Action:
    """The first of two changes their mind while the second has not spoken."""
    require_waiting(action)
    require_digest(digest, action.digest)
    with _one_decision(action, actor, verdict=Verdict.TAKE_BACK):
        if actor.membership is None or actor.membership not in approvers_of(action):
            raise errors.DecisionRefused("You have not approved this, so there is nothing to take back.")
        if not _still_waiting(action).filter(state=Action.State.WAITING).exists():
            raise StaleState("It waits no more.")
        _decision(action, actor, Verdict.TAKE_BACK, reason=reason)
        record(actor, "action.approval_taken_back", action, {"digest": action.digest})
        ring("action.shown", str(action.pk))
    return action


def _approve(action: Action, actor: Actor, *, verdict: Verdict, changed: ChangedPreview | None, reason: str) -> Action:
    with _one_decision(action, actor, verdict=verdict):
        approved = action if changed is None else _replace(action, changed, actor)
        _decision(
            approved, actor, verdict, reason=reason, modified=changed is not None or action.replaces_id is not None
        )
        detail = {"verdict": verdict.value, "digest": approved.digest, "modified": changed is not None}
        two = needs_two(flags=approved.flags, company=approved.company, risk=approved.risk)
        if two and len(approvers_of(approved)) < 2:
            record(actor, "action.approved_by_one", approved, detail)
            ring("action.shown", str(approved.pk))
            return approved
        move(
            approved,
            to=Action.State.APPROVED,
            frm=Action.State.WAITING,
            actor=actor,
            detail=detail,
            within=_still_waiting(approved),
            decided_at=Now(),
            expires_at=Now() + timedelta(seconds=RUN_WITHIN_SECONDS),
        )
        if verdict is Verdict.APPROVE_SESSION:
            issue_session_grant(action=approved, actor=actor)
        return approved


def _replace(action: Action, changed: ChangedPreview, actor: Actor) -> Action:
    """Put a person's version in the place of what was asked, still waiting for its own decision."""
    move(
        action,
        to=Action.State.SUPERSEDED,
        frm=Action.State.WAITING,
        actor=actor,
        within=_still_waiting(action),
        reason=f"{actor.label} changed the arguments.",
    )
    version = Action.objects.for_organization(action.organization).get(pk=action.pk)
    version.pk = uuid4()
    version._state.adding = True
    version.organization, version.company, version.origin = action.organization, action.company, action.origin
    version.state, version.reason, version.finished_at = Action.State.WAITING, "", None
    version.replaces = action
    version.arguments, version.digest = changed.arguments, changed.digest
    version.title = changed.title[:300]
    kept = changed.tool.is_write or changed.preview.filled_in
    version.preview = changed.preview.model_dump(mode="json") if kept else {}
    version.target_digest = changed.target_digest if changed.tool.is_write else ""
    return enter(version, actor=actor, detail={"replaces": str(action.pk)})


def _decision(action: Action, actor: Actor, verdict: Verdict, *, reason: str, modified: bool = False) -> None:
    Decision(
        organization=action.organization,
        action=action,
        membership=actor.membership,
        verdict=verdict,
        digest=action.digest,
        tool_pin=action.tool_pin,
        reason=reason.replace("\x00", "")[:MAX_REASON],
        modified=modified,
    ).save(force_insert=True)


@contextmanager
def _one_decision(action: Action, actor: Actor, *, verdict: Verdict) -> Iterator[None]:
    """One transaction that only one person's decision gets through; the others learn who was first."""
    try:
        with transaction.atomic():
            rows = Action.objects.for_organization(action.organization).select_for_update()
            if rows.values_list("state", flat=True).get(pk=action.pk) != Action.State.WAITING:
                raise StaleState("It waits no more.")
            require_new_word(action, actor, verdict)
            yield
    except StaleState as stale:
        action.refresh_from_db()
        raise not_waiting(action) or errors.DecisionRefused("The session is over, so this cannot run.") from stale


def _still_waiting(action: Action) -> ActionQuerySet:
    rows: ActionQuerySet = Action.objects.for_organization(action.organization).filter(
        digest=action.digest, expires_at__gt=Now(), origin__stopped_at=None, origin__closed_at=None
    )
    return rows


def _changed(action: Action, arguments: Mapping[str, JsonValue]) -> ChangedPreview:
    """`arguments` frozen and previewed. Talks to the vendor."""
    tool = tool_of(action)
    try:
        frozen = tool.freeze(arguments)
        fingerprint = fingerprint_of(frozen)
    except SchemaBroken as broken:
        fields = {problem.field: f"{problem.message[:1].upper()}{problem.message[1:]}." for problem in broken.problems}
        raise errors.InvalidArguments(f"That does not fit: {broken}. Nothing was sent.", fields=fields) from broken
    except NotCanonical as broken:
        raise errors.InvalidArguments(f"That cannot be sent: {broken}") from broken
    try:
        preview = preview_action(tool=tool, arguments=frozen, origin=action.origin)
    except IntegrationError as problem:
        raise errors.PreviewFailed(f"The change could not be worked out: {problem} Nothing was sent.") from problem
    title = preview.title if tool.is_write else tool.title_of(frozen)
    return ChangedPreview(action, tool, title, frozen, preview, fingerprint)
