"""The tools that make, block and sign out accounts. Each sends exactly one request, a function of its arguments.

A first password is drawn at the claim, beside them: `ToolContext.drawn_secret` (docs/adr/0014).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused
from integrations.microsoft365 import endpoints, schemas
from integrations.microsoft365.reading import OneUser
from integrations.microsoft365.targets import (
    UserName,
    cloud_user_of,
    find_account,
    no_administrator,
    tenant_of,
    user_of,
    user_state,
)
from integrations.microsoft365.tokens import LABEL
from integrations.microsoft365.traces import ADDED, SESSIONS_ENDED, settled_by_log
from integrations.tools import (
    Category,
    Change,
    ExternalRecord,
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
from integrations.wording import Words

DIRECTORY_SECONDS = 180.0
"""How long the directory may lag behind a change: it is kept in many places."""

SignInName = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=113, pattern=r"^[A-Za-z0-9._'-]{1,64}@[A-Za-z0-9.-]+$")
]
"""A sign-in name that can be given."""

Country = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{2}$")]


class CreateUser(ToolArguments):
    name: Words = Field(description="First and last name, as it is shown.")
    upn: SignInName = Field(description="Sign-in name, as in given.surname@client.example.")
    location: Country = Field(description="Country of work, two letters: without it no licence can be given.")
    job_title: Words | None = Field(None, description="Job title.")
    department: Words | None = Field(None, description="Department.")


class SetAccountEnabled(ToolArguments):
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")
    enabled: bool = Field(description="Whether the account can sign in.")


def _preview_create(context: ToolContext, arguments: CreateUser) -> Preview:
    _free_name(context, arguments.upn)
    fields = (("Job title", arguments.job_title), ("Department", arguments.department))
    return Preview(
        title=f"Create account {arguments.upn}",
        target=arguments.upn,
        changes=(
            Change("Account", "none", f"{arguments.name}, {arguments.upn}"),
            Change("Country", "none", arguments.location),
            *(Change(label, "none", value) for label, value in fields if value),
            Change("First password", "none", "drawn when it runs, shown once, to be changed at the first sign-in"),
        ),
        seen_by=f"{context.company.name}: colleagues find the account in their directory.",
        undo="Block the account, or delete it in the admin centre.",
        target_state={
            "company": {"id": tenant_of(context).id, "name": context.company.name},
            "sign_in_name": arguments.upn,
            "exists": False,
        },
        sets={"exists": True},
        evidence=("The tenant's domains and accounts were read just now: the sign-in name is free.",),
    )


def _free_name(context: ToolContext, upn: str) -> None:
    """Raises TargetRefused for a sign-in name of another domain, or one that somebody has."""
    domains = [one.id for one in tenant_of(context).rows(schemas.Domain, endpoints.DOMAINS) if one.verified]
    if upn.rpartition("@")[2].casefold() not in {one.casefold() for one in domains}:
        raise TargetRefused(f"{upn} is of none of the domains of {context.company.name}: {', '.join(domains)}.")
    if find_account(context, upn) is not None:
        raise TargetRefused(f"{context.company.name} has an account {upn} already.")


def _search_create(context: ToolContext, arguments: CreateUser, _: JsonValue) -> Outcome:
    found = find_account(context, arguments.upn)
    if found is None:
        return Outcome("absent", f"There is no account {arguments.upn}.")
    made = Outcome("found", f"There is an account {arguments.upn} now.", ExternalRecord("user", found.id))
    return settled_by_log(context, ADDED, found.id, at=found.created, found=made)


@tool(
    name="microsoft365.create_user",
    label="Create an account",
    description="Create an account for a new colleague at this company. The first password is shown once to the person"
    " who hands it over, and never to a model. Licence and groups come after it.",
    arguments=CreateUser,
    title=lambda arguments: f"Create account {arguments.upn}",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.CREDENTIAL, Flag.SECRET},
    endpoints=(endpoints.DOMAINS, endpoints.USERS, endpoints.USER, endpoints.AUDITS, endpoints.CREATE_USER),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=DIRECTORY_SECONDS,
    undo="Block the account, or delete it in the admin centre.",
    preview=_preview_create,
    search=_search_create,
    draws_secret=True,
)
def create_user(context: ToolContext, arguments: CreateUser) -> ToolResult:
    _free_name(context, arguments.upn)
    password = context.secret_to_set
    tenant = tenant_of(context)
    tenant.client.hide(password)
    body: dict[str, JsonValue] = {
        "accountEnabled": True,
        "displayName": arguments.name,
        "mailNickname": arguments.upn.partition("@")[0],
        "userPrincipalName": arguments.upn,
        "usageLocation": arguments.location,
        "passwordProfile": {"password": password, "forceChangePasswordNextSignIn": True},
    }
    more = {"jobTitle": arguments.job_title, "department": arguments.department}
    body |= {field: value for field, value in more.items() if value}
    made = record_of(schemas.User, tenant.act(endpoints.CREATE_USER, body), label=LABEL)
    return ToolResult(
        content={"user_id": made.id, "sign_in_name": made.upn, "first_password": "shown once, to a person"},
        summary=f"{arguments.name} has the account {made.upn}; the first password is shown once on the card",
        written=ExternalRecord("user", made.id),
        secret=password,
    )


def _preview_enabled(context: ToolContext, arguments: SetAccountEnabled) -> Preview:
    user = no_administrator(context, cloud_user_of(context, arguments.user))
    words = {True: "can sign in", False: "blocked"}
    verb = "Let sign in" if arguments.enabled else "Block"
    return Preview(
        title=f"{verb}: {user.label}",
        target=user.upn,
        changes=(Change("Account", words[user.enabled], words[arguments.enabled]),),
        seen_by=f"{user.label}: {'can work again' if arguments.enabled else 'can sign in to nothing any more'}.",
        undo=f"Set it to “{words[user.enabled]}” again.",
        target_state=user_state(context, user, enabled=user.enabled),
        sets={"enabled": arguments.enabled},
        evidence=("The account was read just now.",)
        + ((f"It is {words[user.enabled]} already.",) if user.enabled is arguments.enabled else ()),
    )


def _search_enabled(context: ToolContext, arguments: SetAccountEnabled, before: JsonValue) -> Outcome:
    user = user_of(context, arguments.user)
    was = before.get("enabled") if isinstance(before, dict) else None
    state = "enabled" if user.enabled else "blocked"
    if user.enabled is arguments.enabled:
        return Outcome("found", f"The account is {state}.")
    if user.enabled is was:
        return Outcome("absent", f"The account still is {state}.")
    return Outcome("unclear", f"The account is {state}.")


@tool(
    name="microsoft365.set_account_enabled",
    label="Block or unblock an account",
    description="Block the sign-in of one account of this company, or let it sign in again. Sessions that are open go"
    " on until they are ended (revoke_sessions). Not for administrators.",
    arguments=SetAccountEnabled,
    title=lambda arguments: f"{'Unblock' if arguments.enabled else 'Block'} account {arguments.user}",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.CREDENTIAL, Flag.CLIENT_VISIBLE},
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.TRANSITIVE_MEMBER_OF, endpoints.CHANGE_USER),
    outcome=OutcomeStrategy.NATURAL,
    undo="Block or unblock it again.",
    preview=_preview_enabled,
    search=_search_enabled,
)
def set_account_enabled(context: ToolContext, arguments: SetAccountEnabled) -> ToolResult:
    user = no_administrator(context, cloud_user_of(context, arguments.user))
    tenant_of(context).act(endpoints.CHANGE_USER, {"accountEnabled": arguments.enabled}, user_id=user.id)
    return ToolResult(
        content={"user": user.upn, "enabled": arguments.enabled},
        summary=f"{user.label} {'can sign in again' if arguments.enabled else 'is blocked'}",
    )


def _preview_revoke(context: ToolContext, arguments: OneUser) -> Preview:
    user = user_of(context, arguments.user)
    return Preview(
        title=f"End all sessions of {user.label}",
        target=user.upn,
        changes=(Change("Sessions count since", user.sessions_from or "not known", "the moment it runs"),),
        seen_by=f"{user.label}: has to sign in again everywhere, within some minutes.",
        undo="There is nothing to take back: who may sign in, signs in again.",
        target_state=user_state(context, user, sessions_from=user.sessions_from),
        evidence=("The account was read just now.", "It takes some minutes until all programs notice."),
    )


def _search_revoke(context: ToolContext, arguments: OneUser, before: JsonValue) -> Outcome:
    user = user_of(context, arguments.user)
    since = user.sessions_from
    was = before.get("sessions_from") if isinstance(before, dict) else None
    if not isinstance(was, str):
        return Outcome("unclear", "Since when sessions counted before is not known.")
    if since != was:
        # a new password ends sessions too, whoever sets it
        ended = Outcome("found", f"Sessions count since {since}.")
        return settled_by_log(context, SESSIONS_ENDED, user.id, at=since, was=was, found=ended)
    return Outcome("absent", "Sessions count since the same moment as before.")


@tool(
    name="microsoft365.revoke_sessions",
    label="End all sessions",
    description="Sign one account of this company out everywhere. Whoever may sign in, signs in again.",
    arguments=OneUser,
    title=lambda arguments: f"End all sessions of {arguments.user}",
    category=Category.EXECUTE,
    risk=Risk.MEDIUM,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.AUDITS, endpoints.REVOKE_SESSIONS),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=DIRECTORY_SECONDS,
    undo="There is nothing to take back.",
    preview=_preview_revoke,
    search=_search_revoke,
)
def revoke_sessions(context: ToolContext, arguments: OneUser) -> ToolResult:
    user = user_of(context, arguments.user)
    tenant_of(context).act(endpoints.REVOKE_SESSIONS, user_id=user.id)
    return ToolResult(content={"user": user.upn}, summary=f"All sessions of {user.label} end within minutes")
