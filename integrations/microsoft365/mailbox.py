"""The tools for automatic replies and for orders to managed devices. Each sends exactly one request."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape, unescape
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, JsonValue, StringConstraints, model_validator

from integrations.errors import TargetRefused
from integrations.microsoft365 import endpoints, schemas
from integrations.microsoft365.schemas_watch import Device
from integrations.microsoft365.targets import Guid, UserName, device_of, tenant_of, user_of, user_state
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

Message = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]

SHOWN = 500
"""So much of a reply stands on a card, in letters; compared is all of it."""

_ORDERS = {"sync": "syncDevice", "reboot": "rebootNow", "lock": "remoteLock"}


class SetAutoReply(ToolArguments):
    user: UserName = Field(description="Sign-in name, mail address or object id (find_user).")
    text: Message | None = Field(None, description="What senders read; without it the automatic reply is switched off.")
    outside: Literal["none", "contactsOnly", "all"] = Field("all", description="Who outside the company gets it.")
    start: AwareDatetime | None = Field(None, description="From when, with its time zone; without it at once.")
    end: AwareDatetime | None = Field(None, description="Until when; without it until it is switched off.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("give both start and end, or neither")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("the end comes before the start")
        if self.text is None and self.start is not None:
            raise ValueError("there is no text for these times")
        return self


class DeviceAction(ToolArguments):
    device_id: Guid = Field(description="Id of the device in Intune (managed_devices: device_id).")
    action: Literal["sync", "reboot", "lock"] = Field(description="What to do with it.")


@dataclass(frozen=True, slots=True)
class Reply:
    """An automatic reply: all of what a decision on it rests on. Texts as people read them.

    `start` and `end` = moments in UTC, of a scheduled one; empty for others.
    """

    status: str
    inside: str
    outside: str = ""
    audience: str = "none"
    start: str = ""
    end: str = ""

    @property
    def when(self) -> str:
        """When it is sent, in words."""
        words = {"disabled": "never", "alwaysEnabled": "until it is switched off"}
        return words.get(self.status, f"from {self.start} to {self.end}")

    @property
    def told_outside(self) -> str:
        """Who outside gets what, in words."""
        if self.status == "disabled" or self.audience == "none":
            return "nobody"
        who = _AUDIENCES.get(self.audience, self.audience)
        return who if self.outside == self.inside else f"{who}: {_cut(self.outside)}"

    @property
    def state(self) -> dict[str, JsonValue]:
        """All of it, by name."""
        return {**asdict(self)}


_AUDIENCES = {"none": "nobody", "contactsOnly": "only contacts of the mailbox", "all": "everybody"}


def _reply_of(context: ToolContext, user: schemas.User) -> Reply:
    told = tenant_of(context).get(schemas.MailboxSettings, endpoints.MAILBOX_SETTINGS, user_id=user.id).reply
    scheduled = told.status == "scheduled"
    return Reply(
        status=told.status,
        inside=_plain(told.inside),
        outside=_plain(told.outside),
        audience=told.audience,
        start=_utc(told.starts) if scheduled else "",
        end=_utc(told.ends) if scheduled else "",
    )


def _wanted(arguments: SetAutoReply) -> Reply:
    """What there is once the write has come about."""
    if arguments.text is None:
        return Reply("disabled", "")
    start, end = (_text_of(at) for at in (arguments.start, arguments.end))
    text = _plain(_html(arguments.text))
    return Reply("scheduled" if start else "alwaysEnabled", text, text, arguments.outside, start, end)


def _plain(html: str) -> str:
    """A reply's HTML as people read it, without empty lines and spare blanks: the vendor sets those anew."""
    lines = html.replace("<br>", "\n").replace("<br/>", "\n").replace("</p>", "\n")
    text, inside = "", False
    for letter in lines:
        inside = letter == "<" or (inside and letter != ">")
        text += "" if inside or letter == ">" else letter
    return "\n".join(filter(None, (" ".join(line.split()) for line in unescape(text).splitlines())))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _html(text: str) -> str:
    """Our text as the vendor keeps it: nothing of it is markup."""
    return "<br>".join(escape(text).splitlines())


def _text_of(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(at, datetime) else ""


def _utc(told: schemas.Moment) -> str:
    """A moment as `_text_of` writes it; of another zone as told. Graph tells UTC where nothing else is asked for.

    Source: Microsoft Graph 1.0, "Get user mailbox settings" and dateTimeTimeZone.
    """
    try:
        at = datetime.fromisoformat(told.at[:19]).replace(tzinfo=UTC)
    except ValueError:
        return f"{told.at} {told.zone}".strip()
    return _text_of(at) if told.zone.casefold() in ("utc", "") else f"{at:%Y-%m-%d %H:%M:%S} {told.zone}"


def _preview_reply(context: ToolContext, arguments: SetAutoReply) -> Preview:
    user = user_of(context, arguments.user)
    now, then = _reply_of(context, user), _wanted(arguments)
    was = "off" if now.status == "disabled" else _cut(now.inside)
    more = (Change("When", now.when, then.when), Change("Outside", now.told_outside, then.told_outside))
    return Preview(
        title=f"{'Set' if arguments.text else 'Switch off'} the automatic reply of {user.label}",
        target=user.upn,
        changes=(Change("Automatic reply", was, arguments.text or "off"), *more),
        seen_by=f"Whoever writes to {user.upn}: colleagues, and outside {then.told_outside}.",
        undo="Switch it off, or set the former text again.",
        target_state=user_state(context, user, reply=now.state),
        evidence=("The account and its mailbox were read just now.",),
    )


def _search_reply(context: ToolContext, arguments: SetAutoReply, before: JsonValue) -> Outcome:
    now, then = _reply_of(context, user_of(context, arguments.user)), _wanted(arguments)
    words = f"The automatic reply is {'off' if now.status == 'disabled' else 'on'}."
    if now == then or now.status == then.status == "disabled":
        return Outcome("found", words)
    if isinstance(before, dict) and before.get("reply") == now.state:
        return Outcome("absent", "The automatic reply is as it was before.")
    return Outcome("unclear", f"{words} It is neither what was to be set nor what there was before.")


@tool(
    name="microsoft365.set_auto_reply",
    label="Set an automatic reply",
    description="Set the automatic reply of one mailbox of this company, for inside and outside, or switch it off.",
    arguments=SetAutoReply,
    title=lambda arguments: f"{'Set' if arguments.text else 'Switch off'} the automatic reply of {arguments.user}",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.MAILBOX_SETTINGS, endpoints.SET_MAILBOX),
    outcome=OutcomeStrategy.NATURAL,
    undo="Switch it off, or set the former text again.",
    preview=_preview_reply,
    search=_search_reply,
)
def set_auto_reply(context: ToolContext, arguments: SetAutoReply) -> ToolResult:
    user = user_of(context, arguments.user)
    reply: dict[str, JsonValue] = {"status": _wanted(arguments).status}
    if arguments.text is not None:
        html = _html(arguments.text)
        reply |= {"externalAudience": arguments.outside, "internalReplyMessage": html, "externalReplyMessage": html}
    for name, at in (("scheduledStartDateTime", arguments.start), ("scheduledEndDateTime", arguments.end)):
        if isinstance(at, datetime):
            reply[name] = {"dateTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}
    tenant_of(context).act(endpoints.SET_MAILBOX, {"automaticRepliesSetting": reply}, user_id=user.id)
    return ToolResult(
        content={"user": user.upn, "automatic_reply": arguments.text is not None},
        summary=f"The automatic reply of {user.label} is {'set' if arguments.text else 'off'}",
    )


def _orderable(context: ToolContext, arguments: DeviceAction) -> Device:
    """The device, when it can be told to do this. Raises TargetRefused."""
    device = device_of(context, arguments.device_id)
    if arguments.action == "lock" and device.system.casefold().startswith("windows"):
        raise TargetRefused(f"{device.name} is a Windows device: Intune cannot lock those.")
    return device


def _last_order(device: Device, action: str) -> str:
    """When the device was last told to do this; empty where it never was."""
    return max((one.started for one in device.orders if one.name == _ORDERS[action]), default="")


def _preview_device(context: ToolContext, arguments: DeviceAction) -> Preview:
    device = _orderable(context, arguments)
    words = {
        "sync": "reads its policies anew",
        "reboot": "restarts, and what is not saved may be lost",
        "lock": "is locked until somebody unlocks it",
    }[arguments.action]
    return Preview(
        title=f"{arguments.action.capitalize()} {device.name}",
        target=device.name,
        changes=(Change(device.name, f"last seen {device.synced_at}", words),),
        seen_by=f"Whoever works on {device.name} ({device.upn or 'nobody known'}).",
        undo="",
        target_state={
            "company": {"id": tenant_of(context).id, "name": context.company.name},
            "device": {"id": device.id, "name": device.name},
            "user": device.upn,
            "last_order": _last_order(device, arguments.action),
        },
        evidence=("The device was read just now. It does it when it next hears from Intune.",),
    )


def _search_device(context: ToolContext, arguments: DeviceAction, before: JsonValue) -> Outcome:
    last = _last_order(device_of(context, arguments.device_id), arguments.action)
    was = before.get("last_order") if isinstance(before, dict) else None
    if was is None:
        return Outcome("unclear", "What the device was told before is not known.")
    if last != was:
        return Outcome("found", f"Intune shows the order at {last}.")
    return Outcome("absent", "Intune shows no such order.")


@tool(
    name="microsoft365.device_action",
    label="Sync, reboot or lock a device",
    description="Let one device of this company that Intune manages read its policies, restart, or lock itself. Nothing"
    " is wiped.",
    arguments=DeviceAction,
    title=lambda arguments: f"{arguments.action.capitalize()} device {arguments.device_id}",
    category=Category.EXECUTE,
    risk=Risk.HIGH,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(endpoints.MANAGED_DEVICE, *endpoints.DEVICE_ACTIONS.values()),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=120.0,
    undo="A restart cannot be taken back; a locked device is unlocked by its user.",
    preview=_preview_device,
    search=_search_device,
)
def device_action(context: ToolContext, arguments: DeviceAction) -> ToolResult:
    device = _orderable(context, arguments)
    tenant_of(context).act(endpoints.DEVICE_ACTIONS[_ORDERS[arguments.action]], managedDevice_id=device.id)
    return ToolResult(
        content={"device": device.name, "action": arguments.action},
        summary=f"{arguments.action.capitalize()} of {device.name} is ordered",
    )
