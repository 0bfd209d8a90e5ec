"""The demo's tickets find the demo's runbooks, in the languages its clients write."""

from __future__ import annotations

import json
from pathlib import Path

from integrations.sandbox import world
from junto.desk.demo.runbooks import FROM_LIBRARY, RUNBOOKS
from runbooks.matching import Match, match_signal
from runbooks.models import Runbook
from runbooks.templates import template
from tests.factories import ConnectionFactory, SignalFactory
from tests.runbooks.cases import RunbookCase

TICKETS = Path(world.__file__).parent / "northwind"


class DemoTicketTests(RunbookCase):
    def setUp(self) -> None:
        super().setUp()
        for vendor in ("microsoft365", "sophos", "pax8", "itglue"):
            ConnectionFactory(organization=self.northwind, vendor=vendor, label=vendor)
        for each in RUNBOOKS:
            self.published(
                title=each.title, description=each.description, body=each.body, category=each.category,
                audience=each.audience, tags=list(each.tags),
            )  # fmt: skip

    def found(self) -> dict[str, Match | None]:
        """The runbook that fits, by the ticket's summary."""
        rows = [row for file in sorted(TICKETS.glob("tickets_*.json")) for row in json.loads(file.read_text("utf-8"))]
        return {
            row["summary"]: next(filter(_fits, match_signal(SignalFactory(
                company=self.harlow, subject=row["summary"], description=row["text"], type=row.get("type", ""),
                subtype=row.get("subtype", ""), item=row.get("item", ""),
            ))), None)
            for row in rows
        }  # fmt: skip

    def test_a_password_ticket_is_matched_whatever_its_language(self) -> None:
        """Among them the one whose German text stands under the single word “password”."""
        found = self.found()
        tickets = (
            "password", "Cannot log in after the weekend", "Mot de passe oublié (boutique)",
            "Passwort zurücksetzen Messrechner", "Anmeldung geht nicht, Konto gesperrt",
        )  # fmt: skip
        assert {found[each] and found[each].title for each in tickets} == {"Reset a password or unlock an account"}

    def test_monitoring_finds_its_runbooks(self) -> None:
        found = self.found()
        titles = {name: match and match.title for name, match in found.items() if "disk" in name and "full" in name}
        titles |= {name: match and match.title for name, match in found.items() if name.startswith("Backup")}
        assert {name.split()[0] + " " + str(title) for name, title in titles.items()} == {
            "[RMM] Disk nearly full on a server or workstation", "Backup Backup job failed or did not run",
        }  # fmt: skip

    def test_tickets_of_the_other_systems_find_the_runbooks_of_the_library(self) -> None:
        for content in (template(name).content for name in FROM_LIBRARY):
            self.published(
                title=content.title, description=content.description, body=content.body, category=content.category,
                audience=content.audience, tags=list(content.tags), inputs=content.inputs,
            )  # fmt: skip
        found = self.found()
        for name, runbook in (
            ("Malware blocked on KSL-WS-LAGER", "malware-alert"),
            ("2 extra Microsoft licences", "licence-change"),
            ("Certificate expires in 14 days: remote.brightwaterlegal.example", "certificate-expiry"),
        ):
            best = found[name]
            assert best is not None
            assert best.title == template(runbook).content.title

    def test_alerts_begin_their_runbook_and_a_common_word_alone_only_offers_it(self) -> None:
        matches = [match for match in self.found().values() if match and match.audience == Runbook.Audience.AI]
        assert sum(match.may_start for match in matches) >= 6
        for subject in (
            "Car drive is full of boxes", "Server room door alert", "Lunch alert: pizza is here",
            "<script>alert(1)</script>", "Question about disk",
        ):  # fmt: skip
            best = match_signal(SignalFactory(company=self.harlow, subject=subject, description=""))[0]
            assert (best.audience, best.above_threshold, best.may_start) == (Runbook.Audience.AI, True, False)

    def test_most_tickets_on_other_matters_get_none(self) -> None:
        found = self.found()
        others = [
            name for name in found
            if any(word in name for word in ("rinter", "Impresora", "PC", "SolidWorks", "Teams", "Mitarbeiter", "WLAN"))
        ]  # fmt: skip
        assert len(others) >= 8
        assert [name for name in others if found[name]] == []


def _fits(match: Match) -> bool:
    return match.above_threshold
