"""The tools that give and take licences and group memberships. Each sends exactly one request."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from integrations.errors import TargetRefused
from integrations.microsoft365 import endpoints, schemas
from integrations.microsoft365.products import named, product_name
from integrations.microsoft365.targets import UserName, group_of, tenant_of, user_of, user_state
from integrations.tools import (
    Category,
    Change,
    DefaultPolicy,
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
from integrations.wording import Words


class AssignLicense(ToolArguments):
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")
    add: Words | None = Field(None, description="Licence to give: name, code or id (license_pool).")
    remove: Words | None = Field(None, description="Licence to take away: name, code or id (get_user).")

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("name a licence to add or to remove")
        return self


class ChangeGroupMember(ToolArguments):
    group: Words = Field(description="Name, address or object id of the group (find_group).")
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")
    action: Literal["add", "remove"] = Field("add", description="Whether to add or to remove.")


def _licences(context: ToolContext, arguments: AssignLicense) -> tuple[schemas.User, set[str], set[str]]:
    """The account, and the licences it has by id, before and after. Raises TargetRefused."""
    user = user_of(context, arguments.user)
    skus = list(tenant_of(context).rows(schemas.Sku, endpoints.SKUS))
    before = {one.sku_id for one in user.licenses}
    after = set(before)
    if arguments.remove:
        taken = named(skus, arguments.remove)
        if taken is None or taken.sku_id not in before:
            raise TargetRefused(f"{user.label} has no licence {arguments.remove}.")
        if any(one.by_group for one in user.license_states if one.sku_id == taken.sku_id):
            raise TargetRefused(
                f"{user.label} has {product_name(taken)} by way of a group, and keeps it as long as they are in there:"
                " take them out of the group (get_user names their groups)."
            )
        after.discard(taken.sku_id)
    if arguments.add:
        given = named(skus, arguments.add)
        if given is None:
            raise TargetRefused(f"{context.company.name} has bought no licence {arguments.add} (license_pool).")
        if given.sku_id in before:
            raise TargetRefused(f"{user.label} has {product_name(given)} already.")
        if not given.free:
            raise TargetRefused(f"No seat of {product_name(given)} is free: one has to be bought first.")
        if not user.location:
            raise TargetRefused(f"{user.label} has no country (usage location): set it first in the admin centre.")
        after.add(given.sku_id)
    return user, before, after


def _preview_license(context: ToolContext, arguments: AssignLicense) -> Preview:
    user, before, after = _licences(context, arguments)
    names = {one.sku_id: one for one in tenant_of(context).rows(schemas.Sku, endpoints.SKUS)}
    changes = [
        *(Change(product_name(names[one]), "none", "given") for one in sorted(after - before)),
        *(Change(product_name(names[one]), "has it", "taken away") for one in sorted(before - after)),
    ]
    warnings = ["Without a licence the mailbox is deleted after 30 days, unless it is a shared one."] * bool(
        before - after
    )
    seats = [f"{names[one].free} seats of {product_name(names[one])} are free." for one in sorted(after - before)]
    return Preview(
        title=f"Change licences of {user.label}",
        target=user.upn,
        changes=tuple(changes),
        seen_by=f"{user.label}: programs and mailbox follow the licence. Nothing is bought.",
        undo="Give or take the licence again.",
        target_state=user_state(context, user, licences=[*sorted(before)], location=user.location),
        sets={"licences": [*sorted(after)]},
        evidence=("The account and the licences were read just now.", *seats, *warnings),
    )


def _search_license(context: ToolContext, arguments: AssignLicense, before: JsonValue) -> Outcome:
    user = user_of(context, arguments.user)
    skus = list(tenant_of(context).rows(schemas.Sku, endpoints.SKUS))
    now = {one.sku_id for one in user.licenses}
    given = named(skus, arguments.add) if arguments.add else None
    taken = named(skus, arguments.remove) if arguments.remove else None
    done = (given is None or given.sku_id in now) and (taken is None or taken.sku_id not in now)
    words = ", ".join(sorted(product_name(one) for one in skus if one.sku_id in now)) or "no licence"
    if done:
        return Outcome("found", f"{user.label} has {words}.")
    if isinstance(before, dict) and before.get("licences") == sorted(now):
        return Outcome("absent", f"{user.label} still has {words}.")
    return Outcome("unclear", f"{user.label} has {words}.")


def _license_title(arguments: AssignLicense) -> str:
    parts = [f"give {arguments.add}"] * bool(arguments.add) + [f"take {arguments.remove}"] * bool(arguments.remove)
    return f"Licences of {arguments.user}: {' and '.join(parts)}"


@tool(
    name="microsoft365.assign_license",
    label="Give or take a licence",
    description="Give one account of this company a licence that has a free seat, or take one away. Buys nothing.",
    arguments=AssignLicense,
    title=_license_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.SKUS, endpoints.ASSIGN_LICENSE),
    outcome=OutcomeStrategy.NATURAL,
    undo="Give or take the licence again.",
    preview=_preview_license,
    search=_search_license,
)
def assign_license(context: ToolContext, arguments: AssignLicense) -> ToolResult:
    user, before, after = _licences(context, arguments)
    body: dict[str, JsonValue] = {
        "addLicenses": [{"skuId": one, "disabledPlans": []} for one in sorted(after - before)],
        "removeLicenses": [*sorted(before - after)],
    }
    tenant_of(context).act(endpoints.ASSIGN_LICENSE, body, user_id=user.id)
    return ToolResult(
        content={"user": user.upn, "given": arguments.add, "taken": arguments.remove},
        summary=f"Licences of {user.label} are changed",
    )


def _membership(context: ToolContext, arguments: ChangeGroupMember) -> tuple[schemas.Group, schemas.User, bool]:
    """Group, account, and whether it is in there now. Raises TargetRefused for a group that is changed elsewhere."""
    group = group_of(context, arguments.group)
    elsewhere = {
        "dynamic group": "who is in it follows from its rule: change the person, not the group",
        "distribution list": "it is changed in the Exchange admin centre",
        "mail-enabled security group": "it is changed in the Exchange admin centre",
    }
    if group.synced:
        raise TargetRefused(f"{group.name} comes from the local directory: change it there, on a domain controller.")
    if group.words in elsewhere:
        raise TargetRefused(f"{group.name} is a {group.words}: {elsewhere[group.words]}.")
    if group.gives_roles:
        raise TargetRefused(f"{group.name} makes its members administrators: people change it in the admin centre.")
    user = user_of(context, arguments.user)
    query = [("$select", "id,displayName,userPrincipalName")]
    members = tenant_of(context).rows(schemas.Member, endpoints.GROUP_MEMBERS, query, group_id=group.id)
    return group, user, any(one.id == user.id for one in members)


def _changeable(context: ToolContext, arguments: ChangeGroupMember) -> tuple[schemas.Group, schemas.User]:
    """The same, when there is something to change. Raises TargetRefused."""
    group, user, inside = _membership(context, arguments)
    if inside is (arguments.action == "add"):
        raise TargetRefused(f"{user.label} is {'already' if inside else 'not'} in {group.name}.")
    return group, user


def _preview_member(context: ToolContext, arguments: ChangeGroupMember) -> Preview:
    group, user = _changeable(context, arguments)
    adds = arguments.action == "add"
    words = ("not a member", "member") if adds else ("member", "not a member")
    return Preview(
        title=f"{'Add' if adds else 'Remove'} {user.label} {'to' if adds else 'from'} {group.name}",
        target=f"{user.upn}, {group.name}",
        changes=(Change(group.name, *words),),
        seen_by=f"{context.company.name}: {user.label} {'gets' if adds else 'loses'} what members of it may see.",
        undo=f"{'Remove' if adds else 'Add'} {user.label} again.",
        target_state=user_state(
            context, user, group={"id": group.id, "name": group.name}, kind=group.words, member=not adds
        ),
        sets={"member": adds},
        evidence=(f"The account and the {group.words} with its members were read just now.",),
    )


def _search_member(context: ToolContext, arguments: ChangeGroupMember, _: JsonValue) -> Outcome:
    group, user, inside = _membership(context, arguments)
    words = f"{user.label} is {'' if inside else 'not '}in {group.name}."
    return Outcome("found" if inside is (arguments.action == "add") else "absent", words)


@tool(
    name="microsoft365.change_group_member",
    label="Add or remove a group's member",
    description="Add one account of this company to a Microsoft 365 or security group, or remove it. Not for"
    " distribution lists, dynamic groups, or groups from a local directory.",
    arguments=ChangeGroupMember,
    title=lambda arguments: f"{arguments.action.capitalize()} {arguments.user}: group {arguments.group}",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(
        endpoints.USERS,
        endpoints.USER,
        endpoints.GROUPS,
        endpoints.GROUP,
        endpoints.GROUP_MEMBERS,
        endpoints.ADD_MEMBER,
        endpoints.REMOVE_MEMBER,
    ),
    outcome=OutcomeStrategy.OBSERVE,
    undo="Add or remove the account again.",
    preview=_preview_member,
    search=_search_member,
)
def change_group_member(context: ToolContext, arguments: ChangeGroupMember) -> ToolResult:
    group, user = _changeable(context, arguments)
    tenant = tenant_of(context)
    if arguments.action == "add":
        reference = f"{tenant.client.base_url}/directoryObjects/{user.id}"
        tenant.act(endpoints.ADD_MEMBER, {"@odata.id": reference}, group_id=group.id)
    else:
        # by its reference: without /$ref at the end the account itself would be deleted
        tenant.act(endpoints.REMOVE_MEMBER, group_id=group.id, directoryObject_id=user.id)
    verb = "is in" if arguments.action == "add" else "is no longer in"
    return ToolResult(
        content={"user": user.upn, "group": group.name, "member": arguments.action == "add"},
        summary=f"{user.label} {verb} {group.name}",
    )
