"""The tools that change how somebody signs in: password, pass, second factor. Never for administrators.

The password is drawn at the claim and the pass comes in the vendor's answer. Both leave in `ToolResult.secret`, which
is sealed apart and shown once to a person (docs/adr/0014); neither stands in a result, a preview or an error.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused, VendorGarbled
from integrations.microsoft365 import endpoints, schemas
from integrations.microsoft365.accounts import DIRECTORY_SECONDS
from integrations.microsoft365.reading import method_words, methods_of
from integrations.microsoft365.targets import (
    UserName,
    cloud_user_of,
    no_administrator,
    tenant_of,
    user_of,
    user_state,
)
from integrations.microsoft365.tokens import LABEL
from integrations.microsoft365.traces import PASSWORD_SET, settled_by_log
from integrations.tools import (
    Category,
    Change,
    Flag,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)
from integrations.wire import record_of
from integrations.wording import moment_words

MethodId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,119}$")]
"""The id of a sign-in method."""

_ACCOUNT = (endpoints.USERS, endpoints.USER, endpoints.TRANSITIVE_MEMBER_OF)


class ResetPassword(ToolArguments):
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")
    force_change: bool = Field(True, description="Whether it must be changed at the next sign-in.")


class TemporaryPass(ToolArguments):
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")
    minutes: int = Field(60, ge=10, le=480, description="How long it holds.")
    once: bool = Field(True, description="Whether it opens once only.")


class RemoveMethod(ToolArguments):
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")
    method_id: MethodId = Field(description="Which method (auth_methods: method_id).")


def _preview_reset(context: ToolContext, arguments: ResetPassword) -> Preview:
    user = no_administrator(context, cloud_user_of(context, arguments.user))
    after = "drawn when it runs, shown once" + (", to be changed at the next sign-in" if arguments.force_change else "")
    return Preview(
        title=f"Set a new password for {user.label}",
        target=user.upn,
        changes=(Change("Password", _last_changed(user.password_changed), after),),
        seen_by=f"{user.label}: the old password opens nothing any more.",
        undo="",
        target_state=user_state(context, user, enabled=user.enabled, password_changed=user.password_changed),
        evidence=(
            "The account and its roles were read just now.",
            "Junto keeps the new password sealed for 24 hours at most, and shows it once.",
            *(() if user.enabled else ("The account is blocked: somebody did that on purpose.",)),
        ),
    )


def _last_changed(moment: str) -> str:
    return f"last changed on {moment_words(moment)}" if moment else "last changed at a time not known"


def _search_reset(context: ToolContext, arguments: ResetPassword, before: JsonValue) -> Outcome:
    user = user_of(context, arguments.user)
    changed = user.password_changed
    was = before.get("password_changed") if isinstance(before, dict) else None
    if not isinstance(was, str):
        return Outcome("unclear", "When the password was changed before is not known.")
    if changed != was:
        # it may be theirs: the one that was drawn is handed out only where ours was set
        done = Outcome("found", f"The password was changed on {moment_words(changed)}.")
        return settled_by_log(context, PASSWORD_SET, user.id, at=changed, was=was, found=done)
    return Outcome("absent", f"The password was {_last_changed(was)}, as before.")


@tool(
    name="microsoft365.reset_password",
    label="Set a new password",
    description="Set a new temporary password for one account of this company. It is shown once to the person who hands"
    " it over, and never to a model. Not for administrators, nor for accounts from a local directory.",
    arguments=ResetPassword,
    title=lambda arguments: f"Set a new password for {arguments.user}",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.CREDENTIAL, Flag.SECRET, Flag.CLIENT_VISIBLE},
    endpoints=(*_ACCOUNT, endpoints.AUDITS, endpoints.CHANGE_USER),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=DIRECTORY_SECONDS,
    undo="The old password does not come back: set another.",
    preview=_preview_reset,
    search=_search_reset,
    draws_secret=True,
)
def reset_password(context: ToolContext, arguments: ResetPassword) -> ToolResult:
    user = no_administrator(context, cloud_user_of(context, arguments.user))
    password, tenant = context.secret_to_set, tenant_of(context)
    tenant.client.hide(password)
    body: dict[str, JsonValue] = {
        "passwordProfile": {"password": password, "forceChangePasswordNextSignIn": arguments.force_change}
    }
    tenant.act(endpoints.CHANGE_USER, body, user_id=user.id)
    return ToolResult(
        content={"user": user.upn, "must_change_it": arguments.force_change, "password": "shown once, to a person"},
        summary=f"{user.label} has a new password, which is shown once on the card",
        secret=password,
    )


def _passes(context: ToolContext, user: schemas.User) -> list[str]:
    return sorted(one.id for one in methods_of(context, user) if one.kind == "temporaryAccessPass")


def _preview_pass(context: ToolContext, arguments: TemporaryPass) -> Preview:
    user = no_administrator(context, user_of(context, arguments.user))
    there = _passes(context, user)
    after = f"for {arguments.minutes} minutes, {'usable once' if arguments.once else 'usable again and again'}"
    return Preview(
        title=f"Issue a temporary access pass for {user.label}",
        target=user.upn,
        changes=(Change("Temporary access pass", "one, which ends" if there else "none", f"{after}, shown once"),),
        seen_by=f"{user.label}: signs in with it in place of password and second factor.",
        undo="Remove the pass (remove_mfa_method).",
        target_state=user_state(context, user, enabled=user.enabled, passes=[*there]),
        evidence=("The account, its roles and its sign-in methods were read just now.",),
    )


def _search_pass(context: ToolContext, arguments: TemporaryPass, before: JsonValue) -> Outcome:
    was = before.get("passes") if isinstance(before, dict) else None
    if not isinstance(was, list):
        return Outcome("unclear", "Which passes there were before is not known.")
    if [one for one in _passes(context, user_of(context, arguments.user)) if one not in was]:
        return Outcome("found", "There is a new pass, but its code was lost with the answer: issue another.")
    return Outcome("absent", "There is no new pass.")


@tool(
    name="microsoft365.temporary_access_pass",
    label="Issue a temporary access pass",
    description="Issue a pass with which one account of this company signs in for a short time, to register a new"
    " second factor. It is shown once to the person who hands it over, and never to a model. Not for administrators.",
    arguments=TemporaryPass,
    title=lambda arguments: f"Issue a pass of {arguments.minutes} minutes for {arguments.user}",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.CREDENTIAL, Flag.SECRET},
    endpoints=(*_ACCOUNT, endpoints.AUTH_METHODS, endpoints.ISSUE_PASS),
    outcome=OutcomeStrategy.OBSERVE,
    undo="Remove the pass (remove_mfa_method).",
    preview=_preview_pass,
    search=_search_pass,
)
def temporary_access_pass(context: ToolContext, arguments: TemporaryPass) -> ToolResult:
    user = no_administrator(context, user_of(context, arguments.user))
    body: dict[str, JsonValue] = {"lifetimeInMinutes": arguments.minutes, "isUsableOnce": arguments.once}
    made = record_of(schemas.Method, tenant_of(context).act(endpoints.ISSUE_PASS, body, user_id=user.id), label=LABEL)
    code = made.pass_text.get_secret_value()
    if not code:
        raise VendorGarbled("Microsoft 365 issued a pass and did not tell its code.", sent=True)
    return ToolResult(
        content={
            "user": user.upn,
            "method_id": made.id,
            "minutes": arguments.minutes,
            "pass": "shown once, to a person",
        },
        summary=f"{user.label} has a pass of {arguments.minutes} minutes, which is shown once on the card",
        secret=code,
    )


_MAY_BE_DEFAULT = frozenset({"phone", "microsoftAuthenticator", "softwareOath"})
_DEFAULT_STAYS = (
    "Microsoft refuses to remove the default method while there are others, and does not tell here which one that is:"
    " if it refuses, remove the others first, or set another default in the admin centre."
)


def _method_of(context: ToolContext, user: schemas.User, method_id: str) -> schemas.Method:
    """The method, when the account has it and it can be removed. Raises TargetRefused."""
    found = next((one for one in methods_of(context, user) if one.id == method_id), None)
    if found is None:
        raise TargetRefused(f"{method_id} is not a sign-in method of {user.label} (auth_methods names them).")
    if found.kind not in endpoints.REMOVE_METHOD:
        raise TargetRefused(f"A {method_words(found)} cannot be removed here.")
    return found


def _preview_remove(context: ToolContext, arguments: RemoveMethod) -> Preview:
    user = no_administrator(context, user_of(context, arguments.user))
    method = _method_of(context, user, arguments.method_id)
    kept = [one for one in methods_of(context, user) if one.id != method.id and one.kind not in ("password", "email")]
    left = ", ".join(method_words(one) for one in kept) or "none: whoever knows the password registers a new one"
    return Preview(
        title=f"Remove {method_words(method)} of {user.label}",
        target=user.upn,
        changes=(
            Change(method_words(method), f"registered {method.created}".strip(), "removed"),
            Change("Second factors left", "", left),
        ),
        seen_by=f"{user.label}: cannot sign in with it any more.",
        undo="Only the person can register it anew.",
        target_state=user_state(context, user, method={"id": method.id, "name": method_words(method)}),
        evidence=(
            "The account, its roles and its sign-in methods were read just now.",
            *([_DEFAULT_STAYS] if method.kind in _MAY_BE_DEFAULT and len(kept) > 0 else []),
        ),
    )


def _search_remove(context: ToolContext, arguments: RemoveMethod, _: JsonValue) -> Outcome:
    there = {one.id for one in methods_of(context, user_of(context, arguments.user))}
    if arguments.method_id in there:
        return Outcome("absent", "The method still is registered.")
    return Outcome("found", "The method is no longer registered.")


@tool(
    name="microsoft365.remove_mfa_method",
    label="Remove a sign-in method",
    description="Remove one sign-in method of one account of this company, such as the app on a lost phone. Not for"
    " administrators.",
    arguments=RemoveMethod,
    title=lambda arguments: f"Remove a sign-in method of {arguments.user}",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.CREDENTIAL, Flag.CLIENT_VISIBLE},
    endpoints=(*_ACCOUNT, endpoints.AUTH_METHODS, *endpoints.REMOVE_METHOD.values()),
    outcome=OutcomeStrategy.OBSERVE,
    undo="Only the person can register it anew.",
    preview=_preview_remove,
    search=_search_remove,
)
def remove_mfa_method(context: ToolContext, arguments: RemoveMethod) -> ToolResult:
    user = no_administrator(context, user_of(context, arguments.user))
    method = _method_of(context, user, arguments.method_id)
    tenant_of(context).act(endpoints.REMOVE_METHOD[method.kind], user_id=user.id, method_id=method.id)
    return ToolResult(
        content={"user": user.upn, "removed": method_words(method)},
        summary=f"{method_words(method)} of {user.label} is removed",
    )
