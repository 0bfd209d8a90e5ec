"""The tools that look people, licences and mailboxes up, in the company's own tenant."""

from __future__ import annotations

from pydantic import Field, JsonValue

from integrations.microsoft365 import endpoints, schemas
from integrations.microsoft365.products import product_name
from integrations.microsoft365.targets import (
    GROUP_FIELDS,
    USER_FIELDS,
    UserName,
    administrator_words,
    quoted,
    tenant_of,
    user_of,
)
from integrations.tools import DefaultPolicy, Risk, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Words, counted

MOST_FOUND = 25


class FindUser(ToolArguments):
    text: Words = Field(description="A name, the beginning of one, or a sign-in name or mail address.")


class OneUser(ToolArguments):
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")


class FindGroup(ToolArguments):
    text: Words = Field(description="A group's name, the beginning of it, or its address.")


class NoArguments(ToolArguments):
    pass


def _filter(text: str, fields: tuple[str, ...]) -> str:
    return " or ".join(f"startswith({field},{quoted(text)})" for field in fields)


@tool(
    name="microsoft365.find_user",
    label="Find an account",
    description="Find accounts of this company in Microsoft 365 by name or address: sign-in name, whether enabled,"
    " whether from the local directory.",
    arguments=FindUser,
    title=lambda arguments: f"Find account “{arguments.text}”",
    endpoints=(endpoints.USERS,),
)
def find_user(context: ToolContext, arguments: FindUser) -> ToolResult:
    fields = ("displayName", "givenName", "surname", "userPrincipalName", "mail")
    query = [("$filter", _filter(arguments.text, fields)), ("$select", USER_FIELDS), ("$top", "50")]
    found = list(tenant_of(context).rows(schemas.User, endpoints.USERS, query))
    found.sort(key=lambda one: (one.upn.casefold() != arguments.text.casefold(), one.name.casefold()))
    rows: list[JsonValue] = [_line(user) for user in found[:MOST_FOUND]]
    return ToolResult(
        content={"users": rows, "left_out": len(found) - len(rows)},
        summary=found[0].label if len(found) == 1 else counted(len(found), "account"),
        records=found[:MOST_FOUND],
    )


@tool(
    name="microsoft365.get_user",
    label="Read an account",
    description="One account of this company: enabled or not, licences, groups, administrator roles, last password"
    " change, whether it comes from the local directory.",
    arguments=OneUser,
    title=lambda arguments: f"Read account {arguments.user}",
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.MEMBER_OF, endpoints.SKUS),
)
def get_user(context: ToolContext, arguments: OneUser) -> ToolResult:
    user = user_of(context, arguments.user)
    tenant = tenant_of(context)
    query = [("$select", "id,displayName,isAssignableToRole")]
    member_of = list(tenant.rows(schemas.Member, endpoints.MEMBER_OF, query, user_id=user.id))
    names = {sku.sku_id: product_name(sku) for sku in tenant.rows(schemas.Sku, endpoints.SKUS)}
    groups: list[JsonValue] = [*sorted(one.name for one in member_of if not one.is_role)]
    roles: list[JsonValue] = [*administrator_words(member_of)]
    content: dict[str, JsonValue] = {
        **_line(user),
        "job_title": user.title,
        "department": user.department,
        "usage_location": user.location,
        "licences": [*sorted(names.get(one.sku_id, one.sku_id) for one in user.licenses)],
        "groups": groups[:100],
        "administrator_roles": roles,
        "password_changed": user.password_changed,
        "sessions_valid_from": user.sessions_from,
        "created": user.created,
    }
    told = ["enabled" if user.enabled else "disabled"]
    told += ["administrator"] * bool(roles) + ["from the local directory"] * user.synced
    return ToolResult(
        content={name: value for name, value in content.items() if value not in ("", None)},
        summary=", ".join([user.label, *told]),
        records=(user,),
    )


@tool(
    name="microsoft365.find_group",
    label="Find a group",
    description="Find groups of this company in Microsoft 365 by name or address, with their kind and number of"
    " members.",
    arguments=FindGroup,
    title=lambda arguments: f"Find group “{arguments.text}”",
    endpoints=(endpoints.GROUPS, endpoints.GROUP_MEMBERS),
)
def find_group(context: ToolContext, arguments: FindGroup) -> ToolResult:
    tenant = tenant_of(context)
    query = [("$filter", _filter(arguments.text, ("displayName", "mail"))), ("$select", GROUP_FIELDS), ("$top", "50")]
    found = sorted(tenant.rows(schemas.Group, endpoints.GROUPS, query), key=lambda one: one.name.casefold())
    rows: list[JsonValue] = []
    for group in found[:10]:
        asked = [("$select", "id,displayName,userPrincipalName")]
        members = list(tenant.rows(schemas.Member, endpoints.GROUP_MEMBERS, asked, group_id=group.id))
        rows.append(
            {
                "id": group.id,
                "name": group.name,
                "mail": group.mail,
                "kind": group.words,
                "from_local_directory": group.synced,
                "members": [one.upn or one.name for one in members[:50]],
                "number_of_members": len(members),
            }
        )
    return ToolResult(
        content={"groups": rows, "left_out": len(found) - len(rows)},
        summary=found[0].name if len(found) == 1 else counted(len(found), "group"),
        records=found[:10],
    )


@tool(
    name="microsoft365.license_pool",
    label="Read the licences",
    description="The licences that this company has bought from Microsoft: seats, seats used, seats free.",
    arguments=NoArguments,
    title=lambda _: "Read the licences",
    endpoints=(endpoints.SKUS,),
)
def license_pool(context: ToolContext, arguments: NoArguments) -> ToolResult:
    skus = [one for one in tenant_of(context).rows(schemas.Sku, endpoints.SKUS) if one.applies_to != "Company"]
    rows: list[JsonValue] = [
        {
            "sku_id": sku.sku_id,
            "name": product_name(sku),
            "part": sku.part,
            "status": sku.status,
            "seats": sku.units.enabled + sku.units.warning,
            "used": sku.used,
            "free": sku.free,
        }
        for sku in sorted(skus, key=product_name)
    ]
    free = ", ".join(f"{product_name(sku)}: {sku.free}" for sku in skus if sku.free)
    return ToolResult(
        content={"licences": rows}, summary=f"Free seats: {free}" if free else "No free seats", records=skus
    )


@tool(
    name="microsoft365.auth_methods",
    label="Read sign-in methods",
    description="How one account of this company can sign in: phone, authenticator app, security key, pass. Phone"
    " numbers are shown by their last digits.",
    arguments=OneUser,
    title=lambda arguments: f"Read sign-in methods of {arguments.user}",
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.AUTH_METHODS),
)
def auth_methods(context: ToolContext, arguments: OneUser) -> ToolResult:
    user = user_of(context, arguments.user)
    found = methods_of(context, user)
    rows: list[JsonValue] = [
        {
            "method_id": one.id,
            "kind": one.kind,
            "what": method_words(one),
            "since": one.created,
            "can_be_removed": one.kind in endpoints.REMOVE_METHOD,
        }
        for one in found
    ]
    second = [one for one in found if one.kind not in ("password", "email")]
    return ToolResult(
        content={"user": user.upn, "methods": rows, "has_second_factor": bool(second)},
        summary=", ".join(method_words(one) for one in second) or "No second factor",
        records=found,
    )


def methods_of(context: ToolContext, user: schemas.User) -> list[schemas.Method]:
    """How an account can sign in."""
    return list(tenant_of(context).rows(schemas.Method, endpoints.AUTH_METHODS, user_id=user.id))


def method_words(method: schemas.Method) -> str:
    """A method in words, with no more of a phone number than its last digits."""
    if method.kind == "phone":
        return f"phone ending in {method.phone[-3:]}" if method.phone else "phone"
    names = {
        "microsoftAuthenticator": "Authenticator app",
        "fido2": "security key",
        "softwareOath": "code from an app",
        "windowsHelloForBusiness": "Windows Hello",
        "temporaryAccessPass": "temporary access pass",
        "email": "mail address, for resets only",
        "password": "password",
    }
    word = names.get(method.kind, method.kind or "unknown method")
    told = method.name or method.device_tag or method.model
    return f"{word} ({told})" if told else word


@tool(
    name="microsoft365.inbox_rules",
    label="Read inbox rules",
    description="The rules of one mailbox of this company, and what about them looks like mail fraud: forwarding"
    " outside, hiding, deleting.",
    arguments=OneUser,
    title=lambda arguments: f"Read inbox rules of {arguments.user}",
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ONCE,
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.INBOX_RULES, endpoints.DOMAINS),
)
def inbox_rules(context: ToolContext, arguments: OneUser) -> ToolResult:
    user = user_of(context, arguments.user)
    tenant = tenant_of(context)
    own = {one.id.casefold() for one in tenant.rows(schemas.Domain, endpoints.DOMAINS) if one.verified}
    found = list(tenant.rows(schemas.Rule, endpoints.INBOX_RULES, user_id=user.id))
    odd = {one.id: _suspicions(one, own) for one in found}
    rows: list[JsonValue] = [
        {
            "name": one.name,
            "enabled": one.enabled,
            "about": [*_words_of(one)],
            "sends_to": [*_recipients(one)],
            "moves": bool(one.actions.folder),
            "deletes": one.actions.deletes or one.actions.deletes_for_good,
            "marks_read": one.actions.marks_read,
            "suspicious": [*odd[one.id]],
        }
        for one in found[:100]
    ]
    alarming = sum(bool(words) for words in odd.values())
    return ToolResult(
        content={"user": user.upn, "rules": rows},
        summary=counted(len(found), "rule") + (f", {alarming} suspicious" if alarming else ""),
        records=found[:100],
    )


def _words_of(rule: schemas.Rule) -> list[str]:
    told = rule.conditions
    return [*told.subject, *told.body_or_subject, *told.sender][:20]


def _recipients(rule: schemas.Rule) -> list[str]:
    actions = rule.actions
    return [one.mailbox.address for one in (*actions.forwards, *actions.attaches, *actions.redirects)]


def _suspicions(rule: schemas.Rule, own: set[str]) -> list[str]:
    """What about a rule is typical of somebody who reads another's mail."""
    outside = [one for one in _recipients(rule) if one.rpartition("@")[2].casefold() not in own]
    hides = rule.actions.deletes or rule.actions.deletes_for_good or (rule.actions.folder and rule.actions.marks_read)
    found = [f"sends mail outside, to {one}" for one in outside]
    if hides:
        found.append("hides mail: deletes it, or moves it read")
    if not any(letter.isalnum() for letter in rule.name):
        found.append("has a name without a letter")
    return found


def _line(user: schemas.User) -> dict[str, JsonValue]:
    return {
        "id": user.id,
        "name": user.name,
        "sign_in_name": user.upn,
        "mail": user.mail,
        "enabled": user.enabled,
        "guest": user.kind == "Guest",
        "from_local_directory": user.synced,
        "licensed": bool(user.licenses),
    }
