"""The demo world's facts as ConnectWise records, with dates that count back from now.

The two MSPs' ids overlap on purpose, as they do between real sites.
"""

from __future__ import annotations

from integrations.sandbox.connectwise.ledger import Ledger
from integrations.sandbox.connectwise.setup_seeding import SetupSeeding
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.facts import Contact, Device, Facts, Note, Ticket, Time, parse_age

_COMMUNICATION_IDS = {"Email": 1, "Phone": 2}
_CONNECTORS = {"Email": "mail-connector", "RMM": "rmm-connector", "Chat": "chat-connector"}


class Seeding:
    """One filling of one MSP's world."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._ledger = Ledger(facts.owner)

    def fill(self) -> dict[str, list[Record]]:
        """Set up the PSA, then add its clients, then their tickets."""
        SetupSeeding(self._ledger, self._facts.members).fill()
        self._add_companies()
        for contact in self._facts.contacts:
            self._add_contact(contact)
        for device in self._facts.devices:
            self._add_device(device)
        # Tickets get their numbers in the order in which they came in.
        for ticket in sorted(self._facts.tickets, key=lambda ticket: parse_age(ticket.age), reverse=True):
            self._add_ticket(ticket)
        return self._ledger.records

    def _add_companies(self) -> None:
        for company in self._facts.companies:
            number = self._ledger.add(
                "company",
                company.identifier,
                {
                    "identifier": company.identifier,
                    "name": company.name,
                    "status": self._ledger.id_of("company_status", "Active"),
                    "addressLine1": company.street,
                    "city": company.city,
                    "zip": company.zip,
                    "country": self._ledger.id_of("country", company.country),
                    "phoneNumber": company.phone,
                    "website": company.website,
                    "territory": self._ledger.id_of("location", "Main Office"),
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
                "company": number,
            }
            self._ledger.add("site", company.identifier, site)

    def _add_contact(self, contact: Contact) -> None:
        company = self._ledger.id_of("company", contact.company)
        entries: list[Json] = [_communication(1, "Email", contact.email)]
        if contact.phone:
            entries.append(_communication(2, "Phone", contact.phone))
        number = self._ledger.add(
            "contact",
            contact.email,
            {
                "firstName": contact.first,
                "lastName": contact.last,
                "title": contact.title,
                "company": company,
                "site": self._ledger.id_of("site", contact.company),
                "inactiveFlag": False,
                "defaultFlag": contact.default,
                "defaultPhoneType": "Direct" if contact.phone else None,
                "defaultPhoneNbr": contact.phone or None,
                "communicationItems": entries,
            },
        )
        if contact.default:
            next(row for row in self._ledger.records["company"] if row["id"] == company)["defaultContact"] = number

    def _add_device(self, device: Device) -> None:
        self._ledger.add(
            "configuration",
            device.name,
            {
                "name": device.name,
                "type": self._ledger.id_of("configuration_type", device.kind),
                "status": self._ledger.id_of("configuration_status", "Active"),
                "company": self._ledger.id_of("company", device.company),
                "contact": self._ledger.id_of("contact", device.contact) if device.contact else None,
                "site": self._ledger.id_of("site", device.company),
                "deviceIdentifier": f"{device.name.lower()}-{device.serial[-4:].lower()}",
                "serialNumber": device.serial,
                "modelNumber": device.model,
                "installationDate": self._ledger.when(device.installed),
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
        """One ticket, with what hangs on it: its notes, times and devices."""
        natural_key = f"{ticket.company}/{ticket.summary}/{ticket.age}"
        number = self._ledger.add("ticket", natural_key, self._ticket_record(ticket))
        if ticket.text:
            author = ticket.contact or "monitoring"
            self._add_note(number, Note(by=author, age=ticket.age, text=ticket.text), is_issue=True)
        for note in ticket.notes:
            self._add_note(number, note)
        for entry in ticket.time:
            self._add_time(number, ticket, entry)
        for device in ticket.devices:
            link: Record = {"ticket": number, "configuration": self._ledger.id_of("configuration", device)}
            self._ledger.add("ticket_configuration", f"{number}/{device}", link)

    def _ticket_record(self, ticket: Ticket) -> Record:
        contact = next((one for one in self._facts.contacts if one.email == ticket.contact), None)
        status = self._status(f"{ticket.board}/{ticket.status}")
        opened_by = _CONNECTORS.get(ticket.source) or ticket.owner or "dispatch"
        ages = [ticket.age, *(note.age for note in ticket.notes), *(entry.age for entry in ticket.time)]
        newest = min([*ages, ticket.closed or ticket.age], key=parse_age)
        is_over = bool(ticket.closed)
        return {
            "summary": ticket.summary,
            "recordType": "ServiceTicket",
            "board": self._ledger.id_of("board", ticket.board),
            "status": status["id"],
            "company": self._ledger.id_of("company", ticket.company),
            "site": self._ledger.id_of("site", ticket.company),
            "contact": self._ledger.id_of("contact", ticket.contact) if contact else None,
            "contactName": f"{contact.first} {contact.last}" if contact else None,
            "contactEmailAddress": contact.email if contact else None,
            "contactPhoneNumber": (contact.phone or None) if contact else None,
            **self._classification(ticket),
            "owner": self._ledger.id_of("member", ticket.owner) if ticket.owner else None,
            "priority": self._ledger.id_of("priority", ticket.priority),
            "source": self._ledger.id_of("source", ticket.source),
            "sla": self._ledger.id_of("sla", "Standard"),
            "severity": "Medium",
            "impact": "Medium",
            "closedFlag": bool(status["closedStatus"]),
            "closedDate": self._ledger.when(ticket.closed) if is_over and status["closedStatus"] else None,
            "closedBy": ticket.owner if status["closedStatus"] else None,
            "dateResolved": self._ledger.when(ticket.closed) if is_over else None,
            "dateEntered": self._ledger.when(ticket.age),
            "actualHours": round(sum(entry.minutes for entry in ticket.time) / 60, 2),
            "hasChildTicket": False,
            "hasMergedChildTicketFlag": False,
            "customerUpdatedFlag": False,
            "_info": self._ledger.info(ticket.age, opened_by, newest, ticket.owner or opened_by),
        }

    def _classification(self, ticket: Ticket) -> Record:
        if not ticket.type:
            return {}
        found: Record = {"type": self._ledger.id_of("type", f"{ticket.board}/{ticket.type}")}
        if ticket.subtype:
            found["subType"] = self._ledger.id_of("subtype", f"{ticket.board}/{ticket.type}/{ticket.subtype}")
        if ticket.item:
            found["item"] = self._ledger.id_of("item", f"{ticket.board}/{ticket.item}")
        return found

    def _status(self, key: str) -> Record:
        number = self._ledger.id_of("status", key)
        return next(row for row in self._ledger.records["status"] if row["id"] == number)

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
            "dateCreated": self._ledger.when(note.age),
            "createdBy": note.by,
            "_info": self._ledger.info(note.age, note.by),
        }
        if "@" in note.by:
            record["contact"] = self._ledger.id_of("contact", note.by)
        elif note.by != "monitoring":
            record["member"] = self._ledger.id_of("member", note.by)
        self._ledger.add("note", f"{ticket_id}/{note.age}/{note.text[:20]}", record)

    def _add_time(self, ticket_id: int, ticket: Ticket, entry: Time) -> None:
        end = self._ledger.now - parse_age(entry.age)
        start = self._ledger.now - parse_age(entry.age) - parse_age(f"{entry.minutes}m")
        moments = [moment.isoformat(timespec="seconds").replace("+00:00", "Z") for moment in (start, end)]
        self._ledger.add(
            "time_entry",
            f"{ticket_id}/{entry.age}",
            {
                "company": self._ledger.id_of("company", ticket.company),
                "chargeToId": ticket_id,
                "chargeToType": "ServiceTicket",
                "ticket": ticket_id,
                "ticketBoard": ticket.board,
                "ticketStatus": ticket.status,
                "member": self._ledger.id_of("member", entry.by),
                "workType": self._ledger.id_of("work_type", "Remote"),
                "workRole": self._ledger.id_of("work_role", "Technician"),
                "timeStart": moments[0],
                "timeEnd": moments[1],
                "actualHours": round(entry.minutes / 60, 2),
                "billableOption": "Billable" if entry.billable else "NoCharge",
                "notes": entry.text,
                "addToDetailDescriptionFlag": False,
                "addToInternalAnalysisFlag": True,
                "addToResolutionFlag": False,
                "enteredBy": entry.by,
                "dateEntered": self._ledger.when(entry.age),
                "status": "Open",
                "_info": self._ledger.info(entry.age, entry.by),
            },
        )


def seed_records(facts: Facts) -> dict[str, list[Record]]:
    """Every record of an MSP, ready to be loaded. Raises LookupError where the facts contradict themselves."""
    return Seeding(facts).fill()


def _communication(number: int, sort: str, value: str) -> Record:
    entry: Record = {
        "id": number,
        "type": {"id": _COMMUNICATION_IDS[sort], "name": "Email" if sort == "Email" else "Direct", "_info": {}},
        "value": value,
        "defaultFlag": True,
        "communicationType": sort,
    }
    if sort == "Email":
        entry["domain"] = "@" + value.rpartition("@")[2]
    return entry
