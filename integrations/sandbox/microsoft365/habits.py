"""What people and machines left behind in a tenant: sign-ins, rules, methods, the log. Likely, and always the same."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.facts import Company, Device

SKUS = {
    "SPB": "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
    "SPE_E3": "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "O365_BUSINESS_PREMIUM": "f245ecc8-75af-4f8e-b61f-27d8114de5f3",
    "FLOW_FREE": "f30db892-07e9-47e9-837c-80727f46fd3d",
}
"""The vendor's own ids of these licences, the same in every tenant."""

_PLACES = {
    "United States": ("Portland", "US"),
    "Germany": ("Esslingen", "DE"),
    "France": ("Bordeaux", "FR"),
    "United Kingdom": ("Bristol", "GB"),
    "Ireland": ("Cork", "IE"),
}
_TYPE = "#microsoft.graph."


def stamp(moment: datetime) -> str:
    """A moment as Graph writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def uid(*parts: object) -> str:
    """The same UUID at every filling."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "microsoft365/habits/" + "/".join(map(str, parts))))


def spread(name: str, width: int) -> int:
    """A number below `width` that is always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % width


def sku(owner: str, company: str, part: str, *, seats: int) -> Record:
    """A licence that was bought."""
    return {
        "id": f"{uid(owner, company)}_{SKUS[part]}",
        "accountId": uid(owner, company),
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 0,
        "prepaidUnits": {"enabled": seats, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [],
        "skuId": SKUS[part],
        "skuPartNumber": part,
        "subscriptionIds": [uid(owner, company, part)],
    }


def license_state(sku_id: str, group: str | None = None) -> Record:
    """How somebody came by a licence: by hand, or by way of a group."""
    return {
        "skuId": sku_id,
        "assignedByGroup": group,
        "disabledPlans": [],
        "error": "None",
        "state": "Active",
        "lastUpdatedDateTime": "2026-01-01T00:00:00Z",
    }


def methods(owner: str, user: Record, at: int, now: datetime) -> list[Record]:
    """How somebody signs in: everybody by password, most with the app, some by phone, one with a key."""
    who, since = str(user["id"]), stamp(now - timedelta(days=200))
    found: list[Record] = [
        {
            "@odata.type": f"{_TYPE}passwordAuthenticationMethod",
            "id": "28c10230-6103-485e-b985-444c60001490",
            "createdDateTime": user["lastPasswordChangeDateTime"],
            "password": None,
        }
    ]
    if at % 4 != 3:
        found.append(
            {
                "@odata.type": f"{_TYPE}microsoftAuthenticatorAuthenticationMethod",
                "id": uid(owner, who, "app"),
                "createdDateTime": since,
                "displayName": ("iPhone 14", "Pixel 8", "iPhone SE")[at % 3],
                "deviceTag": "SoftwareTokenActivated",
                "phoneAppVersion": "6.8.24",
            }
        )
    if at % 3 == 0:
        found.append(
            {
                "@odata.type": f"{_TYPE}phoneAuthenticationMethod",
                "id": "3179e48a-750b-4051-897c-87b9720928f7",
                "createdDateTime": since,
                "phoneNumber": f"+1 555{1_000_000 + spread(who, 8_999_999)}",
                "phoneType": "mobile",
                "smsSignInState": "notSupported",
            }
        )
    if at == 0:
        found.append(
            {
                "@odata.type": f"{_TYPE}fido2AuthenticationMethod",
                "id": uid(owner, who, "key").replace("-", ""),
                "createdDateTime": since,
                "displayName": "Key in the drawer",
                "model": "YubiKey 5 NFC",
                "aaGuid": "2fc0579f-8113-47ea-b116-bb5a8db9202a",
            }
        )
    # one whose first method is a phone, which the vendor lets nobody remove before the others
    return [{"user": who, "method": one, "default": at == 0 and "phoneNumber" in one} for one in found]


def rules(owner: str, people: list[Record]) -> list[Record]:
    """Everybody's first has one that is harmless; one person's mailbox has been read by somebody else."""
    if not people:
        return []
    harmless = _rule(owner, people[0], "Newsletters", {"subjectContains": ["newsletter"]}, {"moveToFolder": "AAMk1"})
    if len(people) < 3:
        return [harmless]
    fraud = _rule(
        owner,
        people[2],
        ".",
        {"bodyOrSubjectContains": ["invoice", "payment", "bank"]},
        {
            "moveToFolder": "AAMkRSS",
            "markAsRead": True,
            "forwardTo": [{"emailAddress": {"name": "", "address": "collector@mail-relay.example"}}],
            "stopProcessingRules": True,
        },
    )
    return [harmless, fraud]


def _rule(owner: str, user: Record, name: str, conditions: Record, actions: Record) -> Record:
    return {
        "user": user["id"],
        "rule": {
            "id": f"AQAA{spread(str(user['id']) + name, 10**8):08}=",
            "displayName": name,
            "sequence": 1,
            "isEnabled": True,
            "hasError": False,
            "isReadOnly": False,
            "conditions": conditions,
            "actions": actions,
        },
    }


def mailbox(user: Record) -> Record:
    """Settings of a mailbox, without an automatic reply."""
    zone = {"dateTime": "2026-01-01T00:00:00.0000000", "timeZone": "UTC"}
    return {
        "user": user["id"],
        "settings": {
            "timeZone": "UTC",
            "automaticRepliesSetting": {
                "status": "disabled",
                "externalAudience": "none",
                "internalReplyMessage": "",
                "externalReplyMessage": "",
                "scheduledStartDateTime": {**zone},
                "scheduledEndDateTime": {**zone},
            },
        },
    }


def managed(owner: str, device: Device, user: Record, now: datetime) -> Record:
    """A device in Intune."""
    old = "Windows 10" in device.os
    maker, _, model = device.model.partition(" ")
    return {
        "id": uid(owner, device.name),
        "deviceName": device.name,
        "managedDeviceName": f"{device.name}_Windows",
        "userId": user["id"],
        "userPrincipalName": user["userPrincipalName"],
        "userDisplayName": user["displayName"],
        "emailAddress": user["mail"],
        "operatingSystem": "macOS" if "macOS" in device.os else "Windows",
        "osVersion": "10.0.19045.6456" if old else "10.0.26100.7171",
        "complianceState": "noncompliant" if old else "compliant",
        "isEncrypted": not old,
        "isSupervised": False,
        "manufacturer": maker,
        "model": model,
        "serialNumber": device.serial,
        "azureADDeviceId": uid(owner, device.name, "directory"),
        "azureADRegistered": True,
        "managementAgent": "mdm",
        "managedDeviceOwnerType": "company",
        "deviceEnrollmentType": "windowsAzureADJoin",
        "deviceRegistrationState": "registered",
        "enrolledDateTime": stamp(now - timedelta(days=150)),
        "lastSyncDateTime": stamp(now - timedelta(minutes=20 + spread(device.name, 300))),
        "freeStorageSpaceInBytes": (40 + spread(device.name, 200)) * 10**9,
        "totalStorageSpaceInBytes": 512 * 10**9,
        "physicalMemoryInBytes": 16 * 2**30,
        "deviceActionResults": [],
    }


def sign_ins(owner: str, company: Company, people: list[Record], now: datetime) -> list[Record]:
    """Two a day and person for four days, some of them mistyped, and one from far away."""
    here, far = _PLACES[company.country], ("Lagos", "NG")
    found: list[Record] = []
    for at, user in enumerate(people):
        for back in range(8):
            moment = now - timedelta(hours=12 * back + 1, minutes=spread(str(user["id"]) + str(back), 50))
            found.append(_sign_in(owner, user, moment, here, code=50126 if (at + back) % 7 == 6 else 0))
    if len(people) > 2:
        found.append(_sign_in(owner, people[2], now - timedelta(hours=3), far, code=0, risk="high"))
        found.append(_sign_in(owner, people[2], now - timedelta(hours=4), far, code=50126, risk="medium"))
    found.sort(key=lambda one: str(one["createdDateTime"]))
    return found


def _sign_in(
    owner: str, user: Record, moment: datetime, place: tuple[str, str], *, code: int, risk: str = "none"
) -> Record:
    city, country = place
    far = country == "NG"
    return {
        "id": uid(owner, user["id"], stamp(moment), code),
        "createdDateTime": stamp(moment),
        "userDisplayName": user["displayName"],
        "userPrincipalName": user["userPrincipalName"],
        "userId": user["id"],
        "appId": "00000002-0000-0ff1-ce00-000000000000",
        "appDisplayName": "Office 365 Exchange Online",
        "clientAppUsed": "IMAP4" if far else "Browser",
        "ipAddress": "203.0.113.77" if far else f"198.51.100.{1 + spread(str(user['id']), 200)}",
        "conditionalAccessStatus": "notApplied",
        "isInteractive": True,
        "riskDetail": "none",
        "riskLevelAggregated": risk,
        "riskLevelDuringSignIn": risk,
        "riskState": "atRisk" if risk == "high" else "none",
        "riskEventTypes_v2": ["unfamiliarFeatures"] if risk != "none" else [],
        "resourceDisplayName": "Office 365 Exchange Online",
        "status": {
            "errorCode": code,
            "failureReason": "Invalid username or password." if code else "Other.",
            "additionalDetails": None,
        },
        "deviceDetail": {"deviceId": "", "displayName": "", "operatingSystem": "Windows10", "browser": "Edge 142.0.0"},
        "location": {"city": city, "state": "", "countryOrRegion": country},
    }


def audits(owner: str, company: str, people: list[Record], now: datetime) -> list[Record]:
    """A licence given, a method registered."""
    rows = (("Change user license", "UserManagement", 3), ("User registered security info", "UserManagement", 1))
    return [
        audit(company, activity, category, user, now - timedelta(days=days, hours=at))
        for at, user in enumerate(people[:4])
        for activity, category, days in rows
    ]


def audit(tenant: str, activity: str, category: str, user: Record, moment: datetime) -> Record:
    """A line of the directory's log."""
    return {
        "id": f"Directory_{uid(tenant, activity, user['id'], stamp(moment))}",
        "activityDateTime": stamp(moment),
        "activityDisplayName": activity,
        "category": category,
        "correlationId": uid(tenant, stamp(moment)),
        "loggedByService": "Core Directory",
        "operationType": "Update",
        "result": "success",
        "resultReason": "",
        "additionalDetails": [],
        "initiatedBy": {"user": {"id": user["id"], "displayName": user["displayName"]}},
        "targetResources": [
            {"id": user["id"], "displayName": user["displayName"], "type": "User", "modifiedProperties": []}
        ],
    }


def risky(people: list[Record], company: str, now: datetime) -> list[Record]:
    """The one who signed in from far away."""
    return [
        {
            "id": user["id"],
            "isDeleted": False,
            "isProcessing": False,
            "riskLevel": "high",
            "riskState": "atRisk",
            "riskDetail": "none",
            "riskLastUpdatedDateTime": stamp(now - timedelta(hours=3)),
            "userDisplayName": user["displayName"],
            "userPrincipalName": user["userPrincipalName"],
        }
        for user in people[2:3]
    ]


def alerts(owner: str, company: str, people: list[Record], now: datetime) -> list[Record]:
    """One alert that is open, one that is resolved."""
    rows = (
        ("Suspicious inbox forwarding rule", "high", "new", 3),
        ("Malicious file quarantined", "medium", "resolved", 200),
    )
    about: Json = people[2]["userPrincipalName"] if len(people) > 2 else company
    return [
        {
            "id": f"da{spread(owner + company + title, 10**9)}_1",
            "title": title,
            "description": f"{title}: {about}.",
            "severity": severity,
            "status": status,
            "category": "Collection",
            "serviceSource": "microsoftDefenderForOffice365",
            "detectionSource": "microsoftDefenderForOffice365",
            "recommendedActions": "Look at the rule, end the sessions, set a new password.",
            "createdDateTime": stamp(now - timedelta(hours=hours)),
            "lastUpdateDateTime": stamp(now - timedelta(hours=hours)),
            "alertWebUrl": "https://security.microsoft.com/alerts",
            "evidence": [],
        }
        for title, severity, status, hours in rows
    ]
