"""What a runbook means by the tools of Microsoft 365: a lost method, a free licence, a polite reply."""

from collections.abc import Mapping

from pydantic import JsonValue

from .case import Case, Mention, Step
from .loose import Fields, fields, rows, text

AUTH_METHODS = "microsoft365.auth_methods"
GET_USER = "microsoft365.get_user"
LICENSE_POOL = "microsoft365.license_pool"
ASSIGN_LICENSE = "microsoft365.assign_license"
AUTO_REPLY = "microsoft365.set_auto_reply"
GROUP_MEMBER = "microsoft365.change_group_member"

#: Arguments that a tool does not insist on and that a bare mention of it means all the same.
WELCOME: Mapping[str, frozenset[str]] = {
    ASSIGN_LICENSE: frozenset({"add", "remove"}),
    AUTO_REPLY: frozenset({"text"}),
}
_PHONES = ("microsoftAuthenticator", "softwareOath", "phone")
_TAKES = ("free the licence", "free the license", "take the licence", "remove the licence")


def cloud_meanings(case: Case, step: Step, mention: Mention) -> dict[str, JsonValue]:
    """What a tool of Microsoft 365 may ask for; empty for the tools of other systems."""
    if not mention.tool.startswith("microsoft365."):
        return {}
    meant: dict[str, JsonValue] = {"method_id": _lost_method(case)}
    if mention.tool == GROUP_MEMBER and mention.arguments.get("action") == "remove":
        meant["group"] = next(iter(_named(case, "groups")), None)
    if mention.tool == AUTO_REPLY:
        firm = f" of {case.company}" if case.company else ""
        meant["note"] = f"This mailbox is no longer read. Please write to the general address{firm}."
    if mention.tool == ASSIGN_LICENSE:
        has = _named(case, "licences")
        takes = any(word in step.title.lower() for word in _TAKES)
        meant["remove"] = next(iter(has), None) if takes else None
        meant["add"] = None if takes else _free_licence(case, has)
    return meant


def _result(case: Case, tool: str) -> Fields:
    call = case.conversation.latest(tool)
    return fields(call.outcome.result) if call else {}


def _lost_method(case: Case) -> JsonValue:
    """Of the methods that can be removed the one that lived on a phone, an app before a number."""
    found = [one for one in rows(_result(case, AUTH_METHODS), "methods") if one.get("can_be_removed")]
    found.sort(key=lambda one: _PHONES.index(kind) if (kind := text(one.get("kind"))) in _PHONES else len(_PHONES))
    return found[0].get("method_id") if found else None


def _named(case: Case, what: str) -> list[str]:
    """The names of the person's licences or groups, as the account was read."""
    told = _result(case, GET_USER).get(what)
    return [text(one) for one in told] if isinstance(told, list) else []


def _free_licence(case: Case, has: list[str]) -> JsonValue:
    """The first licence of the pool with a free seat that the person has not."""
    free = [one for one in rows(_result(case, LICENSE_POOL), "licences") if one.get("free")]
    return next((one.get("name") for one in free if text(one.get("name")) not in has), None)
