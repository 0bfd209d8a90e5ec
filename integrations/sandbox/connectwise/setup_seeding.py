"""How both MSPs have set their ConnectWise up: boards with statuses and types, priorities, members, work types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from integrations.sandbox.connectwise.ledger import Ledger
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.facts import Member

_SETUP = Path(__file__).resolve().parent / "setup.json"


class SetupSeeding:
    """Fills a ledger with what an administrator sets up before the first ticket."""

    def __init__(self, ledger: Ledger, members: Sequence[Member]) -> None:
        self._ledger = ledger
        self._members = members

    def fill(self) -> None:
        """Lists first, then members, then boards, whose teams name members."""
        self._set_up()
        for member in self._members:
            self._add_member(member)
        self._add_boards()

    def _set_up(self) -> None:
        for kind, rows in json.loads(_SETUP.read_text(encoding="utf-8"))["named"].items():
            for row in rows:
                flags: Record = {"defaultFlag": False, "inactiveFlag": False}
                self._ledger.add(kind, str(row.get("name") or row.get("description")), {**flags, **row})

    def _add_member(self, member: Member) -> None:
        is_api = member.license_class == "A"
        self._ledger.add(
            "member",
            member.identifier,
            {
                "identifier": member.identifier,
                "firstName": member.first,
                "lastName": member.last,
                "title": member.title,
                "licenseClass": member.license_class,
                "hireDate": self._ledger.when("150w"),
                "inactiveFlag": False,
                "officeEmail": member.email,
                "primaryEmail": member.email,
                "defaultEmail": "Office",
                "officePhone": member.phone or None,
                "defaultPhone": "Office",
                "securityRole": self._ledger.id_of("security_role", "API" if is_api else "Technician"),
                "workRole": self._ledger.id_of("work_role", "Technician"),
                "workType": self._ledger.id_of("work_type", "Remote"),
                "dailyCapacity": 0.0 if is_api else 8.0,
            },
        )

    def _add_boards(self) -> None:
        for board in json.loads(_SETUP.read_text(encoding="utf-8"))["boards"]:
            number, name = board["id"], board["name"]
            self._ledger.add(
                "board",
                name,
                {
                    "name": name,
                    "location": self._ledger.id_of("location", "Main Office"),
                    "department": self._ledger.id_of("department", "Professional Services"),
                    "inactiveFlag": False,
                    "projectFlag": False,
                    "workRole": self._ledger.id_of("work_role", "Technician"),
                    "workType": self._ledger.id_of("work_type", "Remote"),
                    "billTime": "Billable",
                    "defaultFlag": number == 1,
                },
            )
            self._add_statuses(number, name, board["statuses"])
            self._add_types(number, name, board["types"], board["items"])
            for team, leader, is_default in board["teams"]:
                self._add_team(number, name, team, leader, is_default)

    def _add_statuses(self, board: int, board_name: str, statuses: list[list[Json]]) -> None:
        for order, (name, escalation, *closed) in enumerate(statuses, start=1):
            self._ledger.add(
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
            self._ledger.add("item", f"{board_name}/{item}", {"name": item, "board": board, "inactiveFlag": False})
        for name, subtypes in types.items():
            type_id = self._ledger.add(
                "type",
                f"{board_name}/{name}",
                {"name": name, "board": board, "category": "Reactive", "defaultFlag": False, "inactiveFlag": False},
            )
            for subtype in subtypes:
                key = f"{board_name}/{name}/{subtype}"
                subtype_id = self._ledger.add(
                    "subtype",
                    key,
                    {"name": subtype, "board": board, "inactiveFlag": False, "typeAssociationIds": [type_id]},
                )
                for item in items:
                    item_id = self._ledger.id_of("item", f"{board_name}/{item}")
                    self._ledger.add(
                        "association",
                        f"{key}/{item}",
                        {"type": type_id, "subType": subtype_id, "item": item_id, "board": board},
                    )

    def _add_team(self, board: int, board_name: str, name: str, leader: str, is_default: bool) -> None:
        people = [member.identifier for member in self._members if member.license_class != "A"]
        team: Record = {
            "name": name,
            "teamLeader": self._ledger.id_of("member", leader if leader in people else people[0]),
            "members": [self._ledger.id_of("member", person) for person in people],
            "defaultFlag": is_default,
            "boardId": board,
        }
        self._ledger.add("team", f"{board_name}/{name}", team)
