"""What changes a tenant, each as Graph does it: with the arguments it insists on, and the refusals it is known for."""

from __future__ import annotations

import re
import secrets
import uuid
from copy import deepcopy
from datetime import UTC, datetime

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.microsoft365.credentials import principal_of
from integrations.sandbox.microsoft365.habits import audit, license_state, stamp
from integrations.sandbox.microsoft365.problems import Problem, bad_request, denied, not_found
from integrations.sandbox.microsoft365.routes import Call, Endpoint, Route, body_of, texts
from integrations.sandbox.wire import Answer, Effect, json_answer

_METHOD_KINDS = {
    "phoneMethods": "phone",
    "microsoftAuthenticatorMethods": "microsoftAuthenticator",
    "fido2Methods": "fido2",
    "softwareOathMethods": "softwareOath",
    "emailMethods": "email",
    "windowsHelloForBusinessMethods": "windowsHelloForBusiness",
    "temporaryAccessPassMethods": "temporaryAccessPass",
}
_PASSWORDS = "User-PasswordProfile.ReadWrite.All"  # the name of a permission
_CHANGEABLE = {"accountEnabled", "passwordProfile", "usageLocation", "displayName", "jobTitle", "department"}
_SYNCED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently"
    " undergoing migration."
)
_WEAK = "The specified password does not comply with password complexity requirements. Please provide a different one."


def _body(call: Call) -> Record:
    try:
        body = call.request.json() if call.request.body else {}
    except ValueError:
        raise Problem(400, "BadRequest", "Unable to read JSON request payload.") from None
    if not isinstance(body, dict):
        raise Problem(400, "BadRequest", "An object is expected.")
    return body


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _saved(call: Call, kind: str, row: Record, *, verb: str = "updated") -> Effect:
    return Effect(verb, kind.removesuffix("s"), call.world.save(kind, row))


def _logged(call: Call, activity: str, user: Record, category: str = "UserManagement") -> None:
    line = audit(call.tenant, activity, category, user, _now())
    by: Record = {
        "displayName": "Junto",
        "appId": None,  # the vendor mostly leaves it out here
        "servicePrincipalId": principal_of(call.tenant, call.app),
    }
    line |= {"id": f"Directory_{uuid.uuid4()}", "initiatedBy": {"app": by}}
    call.world.save("audits", {"tenant": call.tenant, "body": line})


def _password_of(body: Record, call: Call) -> str:
    """The password in a body. Raises Problem where it is none that Entra takes."""
    profile = body.get("passwordProfile")
    text = profile.get("password") if isinstance(profile, dict) else None
    if not isinstance(text, str):
        raise bad_request("Invalid value specified for property 'passwordProfile' of resource 'User'.")
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    if not 8 <= len(text) <= 256 or kinds < 3:
        raise bad_request(_WEAK)
    return text


def _keep_password(call: Call, user: Record, text: str) -> None:
    """What a test looks at in order to see that a person was told the right one."""
    row = next((one for one in call.rows("passwords") if body_of(one)["user"] == user["id"]), None)
    kept = row or {"tenant": call.tenant, "body": {}}
    kept["body"] = {"user": user["id"], "text": text}
    call.world.save("passwords", kept)


def _create_user(call: Call) -> Answer:
    body = _body(call)
    for name in ("displayName", "userPrincipalName", "mailNickname"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise bad_request(f"A value is required for property '{name}' of resource 'User'.")
    if not isinstance(body.get("accountEnabled"), bool):
        raise bad_request("A value is required for property 'accountEnabled' of resource 'User'.")
    text = _password_of(body, call)
    upn = str(body["userPrincipalName"])
    if upn.rpartition("@")[2].casefold() != str(call.tenant_row()["domain"]).casefold():
        raise bad_request("The domain portion of the userPrincipalName property is invalid.")
    if any(str(one["userPrincipalName"]).casefold() == upn.casefold() for one in call.bodies("users")):
        raise bad_request("Another object with the same value for property userPrincipalName already exists.")
    moment = stamp(_now())
    user: Record = {
        "id": str(uuid.uuid4()),
        **{name: value for name, value in body.items() if name != "passwordProfile"},
        "mail": None,
        "userType": "Member",
        "onPremisesSyncEnabled": None,
        "assignedLicenses": [],
        "createdDateTime": moment,
        "lastPasswordChangeDateTime": moment,
        "signInSessionsValidFromDateTime": moment,
    }
    effect = _saved(call, "users", {"tenant": call.tenant, "body": user}, verb="created")
    _keep_password(call, user, text)
    _logged(call, "Add user", user)
    return json_answer(201, deepcopy(user), effect=effect)


def _change_user(call: Call) -> Answer:
    row, body = call.user(), _body(call)
    user = body_of(row)
    unknown = sorted(set(body) - _CHANGEABLE)
    if unknown or not body:
        raise bad_request(f"Property '{(unknown or ['?'])[0]}' is read-only and cannot be set.")
    if user["onPremisesSyncEnabled"]:
        raise bad_request(_SYNCED)
    if "passwordProfile" in body:
        if _PASSWORDS not in call.roles:
            raise denied()
        text = _password_of(body, call)
        _keep_password(call, user, text)
        user["lastPasswordChangeDateTime"] = stamp(_now())
        _logged(call, "Reset user password", user)
    user.update({name: value for name, value in body.items() if name != "passwordProfile"})
    _logged(call, "Update user", user)
    return Answer(204, effect=_saved(call, "users", row))


def _revoke(call: Call) -> Answer:
    row = call.user()
    body_of(row)["signInSessionsValidFromDateTime"] = stamp(_now())
    _logged(call, "Update StsRefreshTokenValidFrom Timestamp", body_of(row))
    effect = _saved(call, "users", row)
    return json_answer(200, {"@odata.context": "$metadata#Edm.Boolean", "value": True}, effect=effect)


def _assign(call: Call) -> Answer:
    row, body = call.user(), _body(call)
    user = body_of(row)
    added, removed = body.get("addLicenses"), body.get("removeLicenses")
    if not isinstance(added, list) or not isinstance(removed, list):
        raise bad_request("Both addLicenses and removeLicenses have to be given, even empty.")
    if added and not user["usageLocation"]:
        raise bad_request("License assignment cannot be done for user with invalid usage location.")
    now = {str(one["skuId"]) for one in _list(user["assignedLicenses"])}
    wanted = (now | {str(one.get("skuId")) for one in _list(added)}) - {str(one) for one in removed}
    for stored in call.rows("skus"):
        sku = body_of(stored)
        change = (sku["skuId"] in wanted) - (sku["skuId"] in now)
        units = sku["prepaidUnits"]
        seats = units["enabled"] if isinstance(units, dict) else 0
        used = _whole(sku["consumedUnits"]) + change
        if change > 0 and used > _whole(seats):
            raise bad_request(f"Subscription with SKU {sku['skuId']} does not have any available licenses.")
        if change:
            sku["consumedUnits"] = used
            call.world.save("skus", stored)
    known = {str(sku["skuId"]) for sku in call.bodies("skus")}
    inherited = {str(one["skuId"]) for one in _list(user.get("licenseAssignmentStates")) if one["assignedByGroup"]}
    if inherited & {str(one) for one in removed}:
        raise bad_request("User license is inherited from a group membership and it cannot be removed directly.")
    if not wanted <= known or not {str(one) for one in removed} <= now:
        raise bad_request("License does not correspond to a valid company license, or the user does not have it.")
    states = [one for one in _list(user.get("licenseAssignmentStates")) if one["skuId"] in wanted]
    new = wanted - {str(one["skuId"]) for one in states}
    user["licenseAssignmentStates"] = [*states, *(license_state(one) for one in sorted(new))]
    user["assignedLicenses"] = [{"skuId": one, "disabledPlans": []} for one in sorted(wanted)]
    _logged(call, "Change user license", user)
    effect = _saved(call, "users", row)
    return json_answer(200, deepcopy(user), effect=effect)


def _list(value: Json) -> list[Record]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _changeable_group(call: Call) -> Record:
    """A group whose members can be changed here. Raises Problem."""
    row = call.row("groups", call.parts[0], "")
    group = body_of(row)
    if group["groupTypes"] == ["DynamicMembership"]:
        raise bad_request("Cannot add or remove members of a group with dynamic membership.")
    if group["onPremisesSyncEnabled"]:
        raise bad_request(_SYNCED)
    if group["mailEnabled"] and "Unified" not in texts(group["groupTypes"]):
        raise bad_request("Cannot Update a mail-enabled security groups and or distribution list.")
    return row


def _add_member(call: Call) -> Answer:
    row = _changeable_group(call)
    reference = str(_body(call).get("@odata.id", ""))
    who = reference.rpartition("/")[2]
    if "/directoryObjects/" not in reference and "/users/" not in reference:
        raise bad_request("Invalid object reference in '@odata.id'.")
    user = body_of(call.row("users", who, who))
    members = texts(body_of(row)["members"])
    if user["id"] in members:
        raise bad_request("One or more added object references already exist for: 'members'.")
    body_of(row)["members"] = [*members, user["id"]]
    _logged(call, "Add member to group", user, "GroupManagement")
    return Answer(204, effect=_saved(call, "groups", row))


def _remove_member(call: Call) -> Answer:
    row = _changeable_group(call)
    members = texts(body_of(row)["members"])
    if call.parts[1] not in members:
        raise not_found(call.parts[1])
    body_of(row)["members"] = [one for one in members if one != call.parts[1]]
    user = body_of(call.row("users", call.parts[1], ""))
    _logged(call, "Remove member from group", user, "GroupManagement")
    return Answer(204, effect=_saved(call, "groups", row))


def _remove_method(kind: str) -> Endpoint:
    wanted = f"#microsoft.graph.{kind}AuthenticationMethod"

    def answer(call: Call) -> Answer:
        user = body_of(call.user())
        mine = [row for row in call.rows("methods") if body_of(row)["user"] == user["id"]]
        for row in mine:
            method = body_of(row)["method"]
            if isinstance(method, dict) and (method["@odata.type"], method["id"]) == (wanted, call.parts[1]):
                others = [one for one in mine if one is not row and not _is_password(one)]
                if body_of(row).get("default") and others:
                    raise Problem(400, "invalidRequest", "The default method cannot be deleted while there are others.")
                number = _whole(row["id"])
                call.world.remove("methods", number)
                _logged(call, "User deleted security info", user)
                return Answer(204, effect=Effect("deleted", "method", number))
        raise Problem(404, "resourceNotFound", "The requested method was not found.")

    return answer


def _is_password(row: Record) -> bool:
    method = body_of(row)["method"]
    return isinstance(method, dict) and str(method["@odata.type"]).endswith("passwordAuthenticationMethod")


def _issue_pass(call: Call) -> Answer:
    """A pass, told this once. One that was there before ends."""
    user, body = body_of(call.user()), _body(call)
    minutes, once = body.get("lifetimeInMinutes", 60), body.get("isUsableOnce", False)
    if not isinstance(minutes, int) or not 10 <= minutes <= 43_200 or not isinstance(once, bool):
        raise Problem(400, "invalidRequest", "The lifetime of a pass is between 10 and 43200 minutes.")
    for row in call.rows("methods"):
        method = body_of(row)["method"]
        former = isinstance(method, dict) and "temporaryAccessPass" in method
        if former and body_of(row)["user"] == user["id"]:
            call.world.remove("methods", _whole(row["id"]))
    made: Record = {
        "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod",
        "id": str(uuid.uuid4()),
        "createdDateTime": stamp(_now()),
        "startDateTime": stamp(_now()),
        "lifetimeInMinutes": minutes,
        "isUsableOnce": once,
        "isUsable": True,
        "methodUsabilityReason": "EnabledByPolicy",
        "temporaryAccessPass": secrets.token_urlsafe(8),
    }
    effect = _saved(
        call, "methods", {"tenant": call.tenant, "body": {"user": user["id"], "method": made}}, verb="created"
    )
    _logged(call, "Admin registered security info", user)
    return json_answer(201, deepcopy(made), effect=effect)


def _set_mailbox(call: Call) -> Answer:
    user, body = body_of(call.user()), _body(call)
    row = next((one for one in call.rows("mailboxes") if body_of(one)["user"] == user["id"]), None)
    if row is None:
        raise Problem(404, "MailboxNotEnabledForRESTAPI", "The mailbox is inactive, soft-deleted, or on-premise.")
    settings, reply = body_of(row)["settings"], body.get("automaticRepliesSetting")
    if set(body) != {"automaticRepliesSetting"} or not isinstance(reply, dict) or not isinstance(settings, dict):
        raise Problem(400, "ErrorInvalidRequest", "Only automaticRepliesSetting can be changed here.")
    former = settings["automaticRepliesSetting"]
    if reply.get("status") not in ("disabled", "alwaysEnabled", "scheduled") or not isinstance(former, dict):
        raise Problem(400, "ErrorInvalidRequest", "The status of an automatic reply is not known.")
    former.update(reply)
    effect = _saved(call, "mailboxes", row)
    return json_answer(200, {"automaticRepliesSetting": deepcopy(former)}, effect=effect)


def _order(action: str) -> Endpoint:
    def answer(call: Call) -> Answer:
        row = call.row("devices", call.parts[0], "")
        device = body_of(row)
        done = device["deviceActionResults"] if isinstance(device["deviceActionResults"], list) else []
        moment = stamp(_now())
        told: Record = {
            "actionName": action,
            "actionState": "pending",
            "startDateTime": moment,
            "lastUpdatedDateTime": moment,
        }
        device["deviceActionResults"] = [*done, told]
        return Answer(204, effect=_saved(call, "devices", row))

    return answer


_DEVICES = "DeviceManagementManagedDevices.PrivilegedOperations.All"
_METHODS = "UserAuthenticationMethod.ReadWrite.All"
ACTIONS = [
    Route("POST", "/users", "User.ReadWrite.All", _create_user),
    Route("PATCH", "/users/{user-id}", "User.ReadWrite.All", _change_user),
    Route("POST", "/users/{user-id}/revokeSignInSessions", "User.RevokeSessions.All", _revoke),
    Route("POST", "/users/{user-id}/assignLicense", "LicenseAssignment.ReadWrite.All", _assign),
    Route("POST", "/groups/{group-id}/members/$ref", "GroupMember.ReadWrite.All", _add_member),
    Route(
        "DELETE",
        "/groups/{group-id}/members/{directoryObject-id}/$ref",
        "GroupMember.ReadWrite.All",
        _remove_member,
    ),
    Route("POST", "/users/{user-id}/authentication/temporaryAccessPassMethods", _METHODS, _issue_pass),
    Route("PATCH", "/users/{user-id}/mailboxSettings", "MailboxSettings.ReadWrite", _set_mailbox),
    *(
        Route("DELETE", f"/users/{{user-id}}/authentication/{name}/{{method-id}}", _METHODS, _remove_method(kind))
        for name, kind in _METHOD_KINDS.items()
    ),
    *(
        Route("POST", f"/deviceManagement/managedDevices/{{managedDevice-id}}/{name}", _DEVICES, _order(name))
        for name in ("syncDevice", "rebootNow", "remoteLock")
    ),
]
