"""The tools that run a script or control a service. Each sends exactly one request, a function of its arguments."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from integrations.errors import TargetRefused
from integrations.ninjaone import endpoints, schemas
from integrations.ninjaone.orders import LOG_SECONDS, Such, last_in_log, ordered, seen_in_log
from integrations.ninjaone.targets import (
    Id,
    Uid,
    awake,
    client_of,
    device_of,
    device_state,
)
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

Parameters = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^;&|<>`$^\"\\\x00-\x1f\x7f]*$")
]
"""Parameters of a script: one line, none of the characters that a shell reads as its own."""

ServiceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_$-]{0,99}$")]
"""The short name of a Windows service."""


class RunScript(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")
    script_id: Id | None = Field(None, description="A script of the library (list_scripts).")
    action_uid: Uid | None = Field(None, description="Or a built-in action (list_scripts).")
    parameters: Parameters = Field("", description="Its parameters in one line, without characters of the shell.")
    run_as: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}$")] | None = Field(
        None, description="As whom it runs (list_scripts: run_as); without it as the system."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.script_id is None) == (self.action_uid is None):
            raise ValueError("name either script_id or action_uid")
        return self


class ControlService(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")
    service: ServiceName = Field(description="Short name of the Windows service (list_services: name).")
    action: Literal["START", "STOP", "RESTART"] = Field(description="What to do with it.")


def _script_of(context: ToolContext, arguments: RunScript) -> schemas.Script:
    """The script, when NinjaOne allows it on the device. Raises TargetRefused."""
    options = client_of(context).scripting(arguments.device_id)
    if arguments.run_as and arguments.run_as not in options.credentials.roles:
        raise TargetRefused(f"NinjaOne offers no {arguments.run_as} to run scripts as on this device.")
    for script in options.scripts:
        if (arguments.script_id and script.id == arguments.script_id) or (
            arguments.action_uid and script.uid.lower() == arguments.action_uid.lower()
        ):
            return script
    raise TargetRefused("NinjaOne does not allow this script on the device (list_scripts names those it allows).")


def _runs(script: schemas.Script) -> Such:
    return lambda one: one.kind in ("ACTION", "ACTIONSET", "SCRIPTING") and script.name in (one.source, one.subject)


def _run_title(arguments: RunScript) -> str:
    return f"Run a script on device {arguments.device_id}"


def _preview_run(context: ToolContext, arguments: RunScript) -> Preview:
    client_of(context).require_person()
    device = awake(device_of(context, arguments.device_id))
    script = _script_of(context, arguments)
    changes = [
        Change("Script", "", script.name),
        Change("What it says of itself", "", script.description or "nothing"),
        Change("Parameters", "", arguments.parameters or "none"),
        Change("Runs as", "", arguments.run_as or "the system"),
    ]
    return Preview(
        title=f"Run “{script.name}” on {device.name}",
        target=device.name,
        changes=tuple(changes),
        seen_by=f"{context.organization.name}; whoever works on {device.name} may notice it.",
        undo="",
        target_state=device_state(
            context,
            device,
            script={"id": script.id or script.uid, "name": script.name},
            last_in_log=last_in_log(context, device.id, _runs(script)),
        ),
        evidence=(
            "The device and the scripts that NinjaOne allows on it were read just now.",
            "It runs in the name of the technician who consented in NinjaOne.",
        ),
    )


def _search_run(context: ToolContext, arguments: RunScript, before: JsonValue) -> Outcome:
    device = device_of(context, arguments.device_id)
    return seen_in_log(context, device.id, _runs(_script_of(context, arguments)), before)


@tool(
    name="ninjaone.run_script",
    label="Run a script on a device",
    description="Run a script of NinjaOne's library, or a built-in action, on one device of this company. Only what"
    " list_scripts names. It runs later: read the device's log for its result.",
    arguments=RunScript,
    title=_run_title,
    category=Category.EXECUTE,
    risk=Risk.HIGH,
    flags={Flag.IRREVERSIBLE},
    endpoints=(endpoints.DEVICE, endpoints.SCRIPTING, endpoints.ACTIVITIES, endpoints.RUN_SCRIPT),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=LOG_SECONDS,
    undo="What a script did cannot be taken back from here.",
    preview=_preview_run,
    search=_search_run,
)
def run_script(context: ToolContext, arguments: RunScript) -> ToolResult:
    client_of(context).require_person()
    device = awake(device_of(context, arguments.device_id))
    script = _script_of(context, arguments)
    body: dict[str, JsonValue] = (
        {"type": "SCRIPT", "id": arguments.script_id}
        if arguments.script_id
        else {"type": "ACTION", "uid": arguments.action_uid}
    )
    if arguments.parameters:
        body["parameters"] = arguments.parameters
    if arguments.run_as:
        body["runAs"] = arguments.run_as
    client_of(context).act_as_person(endpoints.RUN_SCRIPT, body, id=device.id)
    return ordered(device, f"“{script.name}” is ordered on {device.name}", script=script.name)


def _service_of(context: ToolContext, arguments: ControlService) -> schemas.Service:
    """The service, when the device has it. Raises TargetRefused."""
    for service in client_of(context).services(arguments.device_id):
        if service.name.lower() == arguments.service.lower():
            return service
    raise TargetRefused(f"{arguments.service} is not a Windows service of this device.")


def _control_title(arguments: ControlService) -> str:
    return f"{arguments.action.capitalize()} service {arguments.service} on device {arguments.device_id}"


def _preview_control(context: ToolContext, arguments: ControlService) -> Preview:
    device = awake(device_of(context, arguments.device_id))
    service = _service_of(context, arguments)
    after = "STOPPED" if arguments.action == "STOP" else "RUNNING"
    shown = f"{after} (started anew)" if arguments.action == "RESTART" else after
    undo = {"START": "Stop it again.", "STOP": "Start it again.", "RESTART": ""}[arguments.action]
    return Preview(
        title=f"{arguments.action.capitalize()} {service.label or service.name} on {device.name}",
        target=device.name,
        changes=(Change(service.label or service.name, service.state or "unknown", shown),),
        seen_by=f"{context.organization.name}; whoever uses the service notices it.",
        undo=undo,
        target_state=device_state(
            context, device, service={"id": service.name, "name": service.label}, state=service.state
        ),
        sets={"state": after},
        evidence=("The device and its services were read just now.",),
    )


def _search_control(context: ToolContext, arguments: ControlService, before: JsonValue) -> Outcome:
    device_of(context, arguments.device_id)
    service = _service_of(context, arguments)
    was = before.get("state") if isinstance(before, dict) else None
    wanted = "STOPPED" if arguments.action == "STOP" else "RUNNING"
    if arguments.action == "RESTART" or was == wanted:
        return Outcome("unclear", f"{service.name} is {service.state}, and was so before: that proves nothing.")
    if service.state == wanted:
        return Outcome("found", f"{service.name} is {service.state}.")
    if service.state == was:
        return Outcome("absent", f"{service.name} is still {service.state}.")
    return Outcome("unclear", f"{service.name} is {service.state}.")


@tool(
    name="ninjaone.control_service",
    label="Start or stop a Windows service",
    description="Start, stop or restart one Windows service on one device of this company.",
    arguments=ControlService,
    title=_control_title,
    category=Category.EXECUTE,
    risk=Risk.MEDIUM,
    endpoints=(endpoints.DEVICE, endpoints.SERVICES, endpoints.CONTROL_SERVICE),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=LOG_SECONDS,
    undo="Stop or start it again.",
    preview=_preview_control,
    search=_search_control,
)
def control_service(context: ToolContext, arguments: ControlService) -> ToolResult:
    device = awake(device_of(context, arguments.device_id))
    service = _service_of(context, arguments)
    client_of(context).act(
        endpoints.CONTROL_SERVICE, {"action": arguments.action}, id=device.id, serviceId=service.name
    )
    return ordered(device, f"{arguments.action.capitalize()} of {service.name} is ordered", service=service.name)
