"""The demo world's companies and devices as NinjaOne holds them: the same names as in the PSA, other numbers.

The two MSPs' ids overlap on purpose, as they do between real tenants.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.ninjaone import machines
from integrations.sandbox.world.facts import Device, Facts, Monitored, parse_age

FIRST_ORGANIZATION, FIRST_LOCATION, FIRST_DEVICE, FIRST_ACTIVITY = 31, 44, 801, 52_000
_SCRIPTS: tuple[tuple[str, str, str], ...] = (
    ("Clear temporary files", "powershell", "Empties temporary folders and the update cache, and lists what it freed."),
    ("Restart print spooler", "powershell", "Stops the spooler, empties its folder and starts it again."),
    ("Repair system image", "powershell", "DISM and SFC, with the last lines of their logs."),
    ("Collect event log errors", "powershell", "Errors of the last 24 hours, by source."),
    ("Flush DNS and renew lease", "batch", "ipconfig /flushdns, /release, /renew."),
)
ROLES = ["system", "currentUser"]


def uid(owner: str, *parts: object) -> str:
    """The same UUID at every filling."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"ninjaone/{owner}/" + "/".join(map(str, parts))))


def seed_records(facts: Facts) -> dict[str, list[Record]]:
    """Every record of an MSP, ready to be loaded."""
    now = datetime.now(tz=UTC).timestamp()
    known = {one.device: one for one in facts.monitored}
    companies = {company.identifier: FIRST_ORGANIZATION + at for at, company in enumerate(facts.companies)}
    organizations: list[Record] = [
        {
            "id": companies[company.identifier],
            "name": company.name,
            "description": "",
            "nodeApprovalMode": "AUTOMATIC",
        }
        for company in facts.companies
    ]
    devices: list[Record] = []
    alerts: list[Record] = []
    for at, device in enumerate(facts.devices):
        monitored = known.get(device.name) or Monitored(device=device.name, booted=f"{2 + at % 20}d")
        record = _device(
            facts.owner, FIRST_DEVICE + at, device, monitored, organization=companies[device.company], now=now
        )
        devices.append(record)
        alerts += _alerts(facts.owner, record, monitored, now, first=len(alerts) + 1)
    return {
        "organization": organizations,
        "device": devices,
        "alert": alerts,
        "activity": _activities(devices, alerts, now),
        "script": [
            {
                "id": number,
                "type": "SCRIPT",
                "name": name,
                "language": language,
                "description": words,
                "architecture": ["64"],
                "categoryId": 1,
            }
            for number, (name, language, words) in enumerate(_SCRIPTS, start=101)
        ],
    }


def _device(owner: str, number: int, device: Device, known: Monitored, *, organization: int, now: float) -> Record:
    seen = now - (_seconds(known.offline) if known.offline else 40)
    booted = now - _seconds(known.booted)
    user = device.contact.partition("@")[0]
    inside: Record = {
        "os": machines.operating_system(device, known, booted),
        "system": machines.system(device),
        "volumes": machines.volumes(device, known),
        "disks": machines.disks(device),
        "software": machines.software(device, known),
        "services": machines.services(device, known),
        "patches": [
            {
                "id": uid(owner, device.name, patch.kb),
                "name": patch.name,
                "severity": patch.severity,
                "status": patch.status,
                "type": patch.type,
                "kbNumber": patch.kb,
            }
            for patch in machines.patches(device, known)
        ],
        "user": {"userName": f"{device.company}\\{user}", "logonTime": now - 5 * 3600} if user else {},
    }
    return {
        "id": number,
        "uid": uid(owner, device.name),
        "organizationId": organization,
        "locationId": FIRST_LOCATION + organization - FIRST_ORGANIZATION,
        "nodeClass": machines.node_class(device),
        "nodeRoleId": 200 + sorted({*machines.CLASSES, "Server", "Laptop", "Workstation"}).index(device.kind),
        "approvalStatus": "APPROVED",
        "offline": bool(known.offline),
        "displayName": device.name,
        "systemName": device.name,
        "dnsName": f"{device.name.lower()}.{device.company.lower()}.local",
        "netbiosName": device.name[:15],
        "created": now - _seconds(device.installed),
        "lastContact": seen,
        "lastUpdate": seen,
        "ipAddresses": [device.ip] if device.ip else [],
        "macAddresses": [device.mac] if device.mac else [],
        "tags": [],
        "inside": inside,
    }


def _alerts(owner: str, device: Record, known: Monitored, now: float, *, first: int) -> list[Record]:
    return [
        {
            "id": first + at,
            "uid": uid(owner, device["displayName"], alarm.subject, alarm.message),
            "deviceId": device["id"],
            "message": alarm.message,
            "createTime": now - _seconds(alarm.age),
            "updateTime": now - _seconds(alarm.age),
            "sourceType": alarm.source,
            "sourceConfigUid": uid(owner, alarm.source),
            "subject": alarm.subject,
            "severity": alarm.severity,
            "priority": alarm.priority,
        }
        for at, alarm in enumerate(known.alerts)
    ]


def _activities(devices: list[Record], alerts: list[Record], now: float) -> list[Record]:
    """What happened lately: sign-ins, alerts that began, and nightly scans, oldest first."""
    found: list[tuple[float, Record]] = []
    for device in devices:
        inside = device["inside"]
        if not isinstance(inside, dict) or not inside["services"]:
            continue
        at = now - 6 * 3600 - machines.spread(str(device["displayName"]), 7200)
        found.append(
            (
                at,
                _activity(
                    device,
                    "PATCH_MANAGEMENT",
                    "PATCH_MANAGEMENT_SCAN_COMPLETED",
                    "OS patch scan",
                    "Patch scan completed.",
                ),
            )
        )
        if inside["user"]:
            found.append(
                (now - 5 * 3600, _activity(device, "SYSTEM", "USER_LOGGED_IN", "User logged in", "User logged in."))
            )
    by_id = {device["id"]: device for device in devices}
    for alert in alerts:
        raised = _activity(
            by_id[alert["deviceId"]], "CONDITION", "TRIGGERED", str(alert["subject"]), str(alert["message"])
        )
        raised |= {"seriesUid": alert["uid"], "severity": alert["severity"], "priority": alert["priority"]}
        found.append((_number(alert["createTime"]), raised))
    found.sort(key=lambda one: one[0])
    return [{"id": FIRST_ACTIVITY + at, "activityTime": moment, **record} for at, (moment, record) in enumerate(found)]


def _activity(device: Record, kind: str, code: str, subject: str, message: str) -> Record:
    return {
        "deviceId": device["id"],
        "severity": "NONE",
        "priority": "NONE",
        "activityType": kind,
        "statusCode": code,
        "status": code.replace("_", " ").capitalize(),
        "activityResult": "SUCCESS",
        "sourceName": subject,
        "subject": subject,
        "message": message,
        "type": kind.replace("_", " ").capitalize(),
    }


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _seconds(age: str) -> float:
    return parse_age(age).total_seconds()
