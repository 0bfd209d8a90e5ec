"""Callbacks: which changes are told to whom, and how they are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid

from integrations.sandbox.connectwise.problems import not_found
from integrations.sandbox.connectwise.routing import Call, ok
from integrations.sandbox.json_types import Record
from integrations.sandbox.postman import Change, Letter
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer

KEY = 1
"""The number of the one key that an MSP's callbacks are signed with."""
_API = "/connectwise/v4_6_release/apis/3.0"


def signing_key(owner: str) -> str:
    """What an owner's callbacks are signed with."""
    return hashlib.sha256(f"callbacks of {owner}".encode()).hexdigest()


def key_endpoint(call: Call) -> Answer:
    """The key that a callback's `key_url` leads to."""
    if call.ids[0] != KEY:
        raise not_found("Key", call.ids[0])
    return ok({"signing_key": signing_key(call.caller.owner)})


def letters(world: World, change: Change, account: str, base_url: str) -> list[Letter]:
    """One letter for each active callback that follows tickets."""
    if change.kind != "ticket":
        return []
    found = [one for one in world.all("callback") if one.get("type") == "ticket" and not one.get("inactiveFlag")]
    return [_letter(world, change, callback, account, base_url) for callback in found]


def _letter(world: World, change: Change, callback: Record, account: str, base_url: str) -> Letter:
    ticket = world.get("ticket", change.number) or {}
    entity = {"id": change.number, "summary": ticket.get("summary", "")}
    body = json.dumps(
        {
            "MessageId": str(uuid.uuid4()),
            "FromUrl": base_url,
            "CompanyId": account,
            "MemberId": "somebody",
            "Action": change.verb,
            "Type": "ticket",
            "ID": change.number,
            "Entity": json.dumps(entity),
            "Metadata": {"key_url": f"{base_url}{_API}/system/callbacks/keys/{KEY}"},
            "CallbackObjectRecId": callback["id"],
        }
    ).encode()
    key = hashlib.sha256(signing_key(change.owner).encode()).digest()
    signature = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
    return Letter(str(callback["url"]), body, {"Content-Type": "application/json", "x-content-signature": signature})
