"""The record types that an administrator sets up: boards and what belongs to them, priorities, work types."""

from __future__ import annotations

from integrations.sandbox.connectwise.record_types import BILLING, ID
from integrations.sandbox.connectwise.shapes import Shape, choice, date, flag, number, ref, rows, text, whole

BOARD = Shape(
    kind="board",
    resource="board",
    fields={
        "id": ID,
        "name": text(50),
        "location": ref("location"),
        "department": ref("department"),
        "inactiveFlag": flag(),
        "projectFlag": flag(),
        "workRole": ref("work_role"),
        "workType": ref("work_type"),
        "billTime": BILLING,
        "sendToContactFlag": flag(),
        "discussionsLockedFlag": flag(),
        "timeEntryLockedFlag": flag(),
        "timeEntryDiscussionFlag": flag(),
        "timeEntryInternalAnalysisFlag": flag(),
        "timeEntryResolutionFlag": flag(),
    },
)
STATUS = Shape(
    kind="status",
    resource="boardStatus",
    fields={
        "id": ID,
        "name": text(50),
        "board": ref("board"),
        "sortOrder": whole(),
        "displayOnBoard": flag(),
        "inactive": flag(),
        "closedStatus": flag(),
        "timeEntryNotAllowed": flag(),
        "defaultFlag": flag(),
        "escalationStatus": choice("NotResponded", "Responded", "ResolutionPlan", "Resolved", "NoEscalation"),
        "customerPortalDescription": text(500),
        "customerPortalFlag": flag(),
    },
)
BOARD_TYPE = Shape(
    kind="type",
    resource="boardType",
    fields={
        "id": ID,
        "name": text(50),
        "category": choice("Reactive", "Proactive"),
        "defaultFlag": flag(),
        "inactiveFlag": flag(),
        "board": ref("board"),
    },
)
SUBTYPE = Shape(
    kind="subtype",
    resource="boardSubType",
    fields={
        "id": ID,
        "name": text(50),
        "inactiveFlag": flag(),
        "typeAssociationIds": rows(),
        "board": ref("board"),
    },
)
ITEM = Shape(
    kind="item",
    resource="boardItem",
    fields={"id": ID, "name": text(50), "inactiveFlag": flag(), "board": ref("board")},
)
ASSOCIATION = Shape(
    kind="association",
    resource="boardTypeSubTypeItemAssociation",
    fields={"id": ID, "type": ref("type"), "subType": ref("subtype"), "item": ref("item"), "board": ref("board")},
)
TEAM = Shape(
    kind="team",
    resource="boardTeam",
    fields={
        "id": ID,
        "name": text(30),
        "teamLeader": ref("member"),
        "members": rows(),
        "defaultFlag": flag(),
        "boardId": whole(),
    },
)
PRIORITY = Shape(
    kind="priority",
    resource="priority",
    fields={
        "id": ID,
        "name": text(50),
        "color": text(),
        "sortOrder": whole(),
        "defaultFlag": flag(),
        "level": text(),
    },
)
SLA = Shape(
    kind="sla",
    resource="sla",
    fields={
        "id": ID,
        "name": text(25),
        "basedOn": text(),
        "defaultFlag": flag(),
        "respondHours": number(),
        "resolutionHours": number(),
    },
)
WORK_TYPE = Shape(
    kind="work_type",
    resource="workType",
    fields={
        "id": ID,
        "name": text(50),
        "billTime": BILLING,
        "rateType": text(),
        "rate": number(),
        "inactiveFlag": flag(),
        "overallDefaultFlag": flag(),
    },
)
WORK_ROLE = Shape(
    kind="work_role",
    resource="workRole",
    fields={"id": ID, "name": text(50), "hourlyRate": number(), "inactiveFlag": flag()},
)
SCHEDULE_TYPE = Shape(
    kind="schedule_type",
    resource="scheduleType",
    fields={"id": ID, "name": text(50), "identifier": text(1), "systemFlag": flag()},
)
CONFIGURATION_STATUS = Shape(
    kind="configuration_status",
    resource="configurationStatus",
    fields={"id": ID, "description": text(50), "closedFlag": flag(), "defaultFlag": flag()},
)
KNOWLEDGE_ARTICLE = Shape(
    kind="knowledge_article",
    resource="knowledgeBaseArticle",
    fields={
        "id": ID,
        "title": text(),
        "issue": text(),
        "resolution": text(),
        "board": ref("board"),
        "dateCreated": date(),
        "createdBy": text(),
    },
)


def named(kind: str, resource: str) -> Shape:
    """A record type of which only the name matters: sources, company types, statuses and the like."""
    return Shape(
        kind=kind,
        resource=resource,
        fields={"id": ID, "name": text(50), "defaultFlag": flag(), "inactiveFlag": flag()},
    )
