"""The demo world's facts as ConnectWise records, with dates that count back from now.

Ids are the same at every filling. The two MSPs' ids overlap on purpose, as they do between real sites.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.facts import Contact, Device, Facts, Member, Note, Ticket, Time, parse_age

_SETUP = Path(__file__).resolve().parent / "setup.json"
_FIRST_IDS = {
    "member": 150,
    "company": 250,
    "site": 310,
    "contact": 1180,
    "configuration": 810,
    "ticket": 48210,
    "note": 90300,
    "time_entry": 70000,
    "ticket_configuration": 1,
    "schedule_entry": 5200,
}
_COMMUNICATION_IDS = {"Email": 1, "Phone": 2}


class Seeding:
    """One filling of one MSP's world."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._now = datetime.now(tz=UTC).replace(microsecond=0)
        self.records: dict[str, list[Record]] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def fill(self) -> None:
        """Set up the PSA, then its people, then their work."""
        self._set_up()
        for member in self._facts.members:
            self._add_member(member)
        self._add_boards()
        self._add_companies()
        for contact in self._facts.contacts:
            self._add_contact(contact)
        for device in self._facts.devices:
            self._add_device(device)
        # Tickets get their numbers in the order in which they came in.
        for ticket in sorted(self._facts.tickets, key=lambda ticket: parse_age(ticket.age), reverse=True):
            self._add_ticket(ticket)

    def _add(self, kind: str, key: str, record: Record) -> int:
        rows = self.records.setdefault(kind, [])
        id = _FIRST_IDS.get(kind, 1) + len(rows)
        record = {"id": id, **record}
        record.setdefault("_info", self._info("104w", "setup"))
        rows.append(record)
        self._ids[kind, key] = id
        return id

    def _id(self, kind: str, key: str) -> int:
        try:
            return self._ids[kind, key]
        except KeyError as error:
            raise LookupError(f"the demo world of {self._facts.owner} has no {kind} {key!r}") from error

    def _when(self, age: str) -> str:
        return (self._now - parse_age(age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _info(self, age: str, by: str, updated: str | None = None, updated_by: str | None = None) -> Record:
        return {
            "dateEntered": self._when(age),
            "enteredBy": by,
            "lastUpdated": self._when(updated or age),
            "updatedBy": updated_by or by,
        }

    def _set_up(self) -> None:
        for kind, rows in json.loads(_SETUP.read_text(encoding="utf-8"))["named"].items():
            for row in rows:
                flags: Record = {"defaultFlag": False, "inactiveFlag": False}
                self._add(kind, str(row.get("name") or row.get("description")), {**flags, **row})

    def _add_member(self, member: Member) -> None:
        is_api = member.license_class == "A"
        self._add(
            "member",
            member.identifier,
            {
                "identifier": member.identifier,
                "firstName": member.first,
                "lastName": member.last,
                "title": member.title,
                "licenseClass": member.license_class,
                "hireDate": self._when("150w"),
                "inactiveFlag": False,
                "officeEmail": member.email,
                "primaryEmail": member.email,
                "defaultEmail": "Office",
                "officePhone": member.phone or None,
                "defaultPhone": "Office",
                "securityRole": self._id("security_role", "API" if is_api else "Technician"),
                "workRole": self._id("work_role", "Technician"),
                "workType": self._id("work_type", "Remote"),
                "dailyCapacity": 0.0 if is_api else 8.0,
            },
        )

    def _add_boards(self) -> None:
        for board in json.loads(_SETUP.read_text(encoding="utf-8"))["boards"]:
            id, name = board["id"], board["name"]
            self._add(
                "board",
                name,
                {
                    "name": name,
                    "location": self._id("location", "Main Office"),
                    "department": self._id("department", "Professional Services"),
                    "inactiveFlag": False,
                    "projectFlag": False,
                    "workRole": self._id("work_role", "Technician"),
                    "workType": self._id("work_type", "Remote"),
                    "billTime": "Billable",
                    "defaultFlag": id == 1,
                },
            )
            self._add_statuses(id, name, board["statuses"])
            self._add_types(id, name, board["types"], board["items"])
            for team, leader, is_default in board["teams"]:
                self._add_team(id, name, team, leader, is_default)

    def _add_statuses(self, board: int, board_name: str, statuses: list[list[Json]]) -> None:
        for order, (name, escalation, *closed) in enumerate(statuses, start=1):
            self._add(
                "status",
                f"{board_name}/{name}",
                {
                    "name": name,
                    "board": board,
                    "sortOrder": order * 10,
                    "displayOnBoard": not closed,
                    "inactive": False,
                    "closedStatus": bool(closed),
                    "timeEntryNotAllowed": False,
                    "defaultFlag": order == 1,
                    "escalationStatus": escalation,
                    "customerPortalFlag": True,
                    "customerPortalDescription": name,
                },
            )

    def _add_types(self, board: int, board_name: str, types: dict[str, list[str]], items: list[str]) -> None:
        for item in items:
            self._add("item", f"{board_name}/{item}", {"name": item, "board": board, "inactiveFlag": False})
        for name, subtypes in types.items():
            type_id = self._add(
                "type",
                f"{board_name}/{name}",
                {"name": name, "board": board, "category": "Reactive", "defaultFlag": False, "inactiveFlag": False},
            )
            for subtype in subtypes:
                key = f"{board_name}/{name}/{subtype}"
                subtype_id = self._add(
                    "subtype",
                    key,
                    {"name": subtype, "board": board, "inactiveFlag": False, "typeAssociationIds": [type_id]},
                )
                for item in items:
                    item_id = self._id("item", f"{board_name}/{item}")
                    self._add(
                        "association",
                        f"{key}/{item}",
                        {"type": type_id, "subType": subtype_id, "item": item_id, "board": board},
                    )

    def _add_team(self, board: int, board_name: str, name: str, leader: str, is_default: bool) -> None:
        people = [member.identifier for member in self._facts.members if member.license_class != "A"]
        team: Record = {
            "name": name,
            "teamLeader": self._id("member", leader if leader in people else people[0]),
            "members": [self._id("member", person) for person in people],
            "defaultFlag": is_default,
            "boardId": board,
        }
        self._add("team", f"{board_name}/{name}", team)

    def _add_companies(self) -> None:
        for company in self._facts.companies:
            id = self._add(
                "company",
                company.identifier,
                {
                    "identifier": company.identifier,
                    "name": company.name,
                    "status": self._id("company_status", "Active"),
                    "addressLine1": company.street,
                    "city": company.city,
                    "zip": company.zip,
                    "country": self._id("country", company.country),
                    "phoneNumber": company.phone,
                    "website": company.website,
                    "territory": self._id("location", "Main Office"),
                    "numberOfEmployees": company.employees,
                    "deletedFlag": False,
                    "types": [{"id": 1, "name": "Client", "_info": {}}],
                },
            )
            site: Record = {
                "name": "Main",
                "addressLine1": company.street,
                "city": company.city,
                "zip": company.zip,
                "phoneNumber": company.phone,
                "primaryAddressFlag": True,
                "inactiveFlag": False,
                "company": id,
            }
            self._add("site", company.identifier, site)

    def _add_contact(self, contact: Contact) -> None:
        company = self._id("company", contact.company)
        entries: list[Json] = [_communication(1, "Email", contact.email)]
        if contact.phone:
            entries.append(_communication(2, "Phone", contact.phone))
        id = self._add(
            "contact",
            contact.email,
            {
                "firstName": contact.first,
                "lastName": contact.last,
                "title": contact.title,
                "company": company,
                "site": self._id("site", contact.company),
                "inactiveFlag": False,
                "defaultFlag": contact.default,
                "defaultPhoneType": "Direct" if contact.phone else None,
                "defaultPhoneNbr": contact.phone or None,
                "communicationItems": entries,
            },
        )
        if contact.default:
            next(row for row in self.records["company"] if row["id"] == company)["defaultContact"] = id

    def _add_device(self, device: Device) -> None:
        self._add(
            "configuration",
            device.name,
            {
                "name": device.name,
                "type": self._id("configuration_type", device.kind),
                "status": self._id("configuration_status", "Active"),
                "company": self._id("company", device.company),
                "contact": self._id("contact", device.contact) if device.contact else None,
                "site": self._id("site", device.company),
                "deviceIdentifier": f"{device.name.lower()}-{device.serial[-4:].lower()}",
                "serialNumber": device.serial,
                "modelNumber": device.model,
                "installationDate": self._when(device.installed),
                "macAddress": device.mac or None,
                "ipAddress": device.ip or None,
                "osType": device.os or None,
                "ram": device.ram or None,
                "localHardDrives": device.disk or None,
                "notes": device.notes or None,
                "lastLoginName": device.contact.partition("@")[0] or None,
                "activeFlag": True,
            },
        )

    def _add_ticket(self, ticket: Ticket) -> None:
        contact = next((one for one in self._facts.contacts if one.email == ticket.contact), None)
        status = self._status(f"{ticket.board}/{ticket.status}")
        opened_by = ticket.owner or "mail-connector"
        ages = [ticket.age, *(note.age for note in ticket.notes), *(entry.age for entry in ticket.time)]
        newest = min([*ages, ticket.closed or ticket.age], key=parse_age)
        is_over = bool(ticket.closed)
        id = self._add(
            "ticket",
            f"{ticket.company}/{ticket.summary}/{ticket.age}",
            {
                "summary": ticket.summary,
                "recordType": "ServiceTicket",
                "board": self._id("board", ticket.board),
                "status": status["id"],
                "company": self._id("company", ticket.company),
                "site": self._id("site", ticket.company),
                "contact": self._id("contact", ticket.contact) if contact else None,
                "contactName": f"{contact.first} {contact.last}" if contact else None,
                "contactEmailAddress": contact.email if contact else None,
                "contactPhoneNumber": (contact.phone or None) if contact else None,
                **self._classification(ticket),
                "owner": self._id("member", ticket.owner) if ticket.owner else None,
                "priority": self._id("priority", ticket.priority),
                "source": self._id("source", ticket.source),
                "sla": self._id("sla", "Standard"),
                "severity": "Medium",
                "impact": "Medium",
                "closedFlag": bool(status["closedStatus"]),
                "closedDate": self._when(ticket.closed) if is_over and status["closedStatus"] else None,
                "closedBy": ticket.owner if status["closedStatus"] else None,
                "dateResolved": self._when(ticket.closed) if is_over else None,
                "dateEntered": self._when(ticket.age),
                "actualHours": round(sum(entry.minutes for entry in ticket.time) / 60, 2),
                "hasChildTicket": False,
                "hasMergedChildTicketFlag": False,
                "customerUpdatedFlag": False,
                "_info": self._info(ticket.age, opened_by, newest, ticket.owner or opened_by),
            },
        )
        if ticket.text:
            author = ticket.contact or "monitoring"
            self._add_note(id, Note(by=author, age=ticket.age, text=ticket.text), is_issue=True)
        for note in ticket.notes:
            self._add_note(id, note)
        for entry in ticket.time:
            self._add_time(id, ticket, entry)
        for device in ticket.devices:
            link: Record = {"ticket": id, "configuration": self._id("configuration", device)}
            self._add("ticket_configuration", f"{id}/{device}", link)

    def _classification(self, ticket: Ticket) -> Record:
        if not ticket.type:
            return {}
        found: Record = {"type": self._id("type", f"{ticket.board}/{ticket.type}")}
        if ticket.subtype:
            found["subType"] = self._id("subtype", f"{ticket.board}/{ticket.type}/{ticket.subtype}")
        if ticket.item:
            found["item"] = self._id("item", f"{ticket.board}/{ticket.item}")
        return found

    def _status(self, key: str) -> Record:
        id = self._id("status", key)
        return next(row for row in self.records["status"] if row["id"] == id)

    def _add_note(self, ticket_id: int, note: Note, *, is_issue: bool = False) -> None:
        record: Record = {
            "ticketId": ticket_id,
            "text": note.text,
            "detailDescriptionFlag": not note.internal and not note.resolution,
            "internalAnalysisFlag": note.internal,
            "resolutionFlag": note.resolution,
            "issueFlag": is_issue,
            "customerUpdatedFlag": "@" in note.by and not is_issue,
            "internalFlag": note.internal,
            "externalFlag": not note.internal,
            "dateCreated": self._when(note.age),
            "createdBy": note.by,
            "_info": self._info(note.age, note.by),
        }
        if "@" in note.by:
            record["contact"] = self._id("contact", note.by)
        elif note.by != "monitoring":
            record["member"] = self._id("member", note.by)
        self._add("note", f"{ticket_id}/{note.age}/{note.text[:20]}", record)

    def _add_time(self, ticket_id: int, ticket: Ticket, entry: Time) -> None:
        end = self._now - parse_age(entry.age)
        start = self._now - parse_age(entry.age) - parse_age(f"{entry.minutes}m")
        moments = [moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") for moment in (start, end)]
        self._add(
            "time_entry",
            f"{ticket_id}/{entry.age}",
            {
                "company": self._id("company", ticket.company),
                "chargeToId": ticket_id,
                "chargeToType": "ServiceTicket",
                "ticket": ticket_id,
                "ticketBoard": ticket.board,
                "ticketStatus": ticket.status,
                "member": self._id("member", entry.by),
                "workType": self._id("work_type", "Remote"),
                "workRole": self._id("work_role", "Technician"),
                "timeStart": moments[0],
                "timeEnd": moments[1],
                "actualHours": round(entry.minutes / 60, 2),
                "billableOption": "Billable" if entry.billable else "NoCharge",
                "notes": entry.text,
                "addToDetailDescriptionFlag": False,
                "addToInternalAnalysisFlag": True,
                "addToResolutionFlag": False,
                "enteredBy": entry.by,
                "dateEntered": self._when(entry.age),
                "status": "Open",
                "_info": self._info(entry.age, entry.by),
            },
        )


def seed_records(facts: Facts) -> dict[str, list[Record]]:
    """Every record of an MSP, ready to be loaded. Raises LookupError where the facts contradict themselves."""
    seeding = Seeding(facts)
    seeding.fill()
    return seeding.records


def _communication(id: int, sort: str, value: str) -> Record:
    entry: Record = {
        "id": id,
        "type": {"id": _COMMUNICATION_IDS[sort], "name": "Email" if sort == "Email" else "Direct", "_info": {}},
        "value": value,
        "defaultFlag": True,
        "communicationType": sort,
    }
    if sort == "Email":
        entry["domain"] = "@" + value.rpartition("@")[2]
    return entry
