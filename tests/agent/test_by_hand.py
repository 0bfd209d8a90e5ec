"""A tool that a person runs by hand: found by words, its form filled from the ticket, through the same door."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse

from agent.by_hand import ByHandField, arguments_typed
from agent.journal import read_events
from approvals.fields import schema_fields
from approvals.models import Action, Origin
from approvals.overrides import set_policy
from approvals.policy import Mode
from approvals.services import decide_action
from integrations.errors import InvalidArguments
from integrations.services import check_connection
from integrations.tools import registry
from junto.tenants.permissions import Role
from signals.models import Signal
from tests.agent.cases import SessionTestCase
from tests.factories import ConnectionFactory, MembershipFactory, SignalFactory
from tests.integrations.served import GUIDES, Served

KEY, OTHER = "a" * 32, "b" * 32
NOTE = "connectwise.add_internal_note"
CREATE = "connectwise.create_ticket"
MOVE = "connectwise.move_to_company"

#: What the guides' tool asks for, where it asks for everything that a form has trouble with.
ASKED = {
    "type": "object",
    "properties": {
        "words": {"type": "string"},
        "key": {"type": "string"},
        "limit": {"type": "integer"},
        "share": {"type": "number"},
        "pages": {"type": "array", "items": {"type": "integer"}},
        "filter": {"type": "object"},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "either": {"type": ["string", "null"]},
    },
    "required": ["words"],
}


class ByHandCase(SessionTestCase):
    def find(self, words: str) -> HttpResponse:
        """The list of tools, as Theo finds it by words."""
        return self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/tools/"), {"q": words})

    def form(self, tool: str) -> HttpResponse:
        """A tool's form."""
        return self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/tools/{tool}/"))

    def send(self, tool: str, key: str, /, **typed: Any) -> HttpResponse:
        """Theo fills a form and sends it."""
        path = self.path(f"signals/{self.signal.pk}/tools/{tool}/")
        return self.log_in(self.theo).post(path, {"key": key, **{f"a-{name}": value for name, value in typed.items()}})


class PickingTests(ByHandCase):
    def test_tools_are_found_by_words_and_say_what_becomes_of_them(self) -> None:
        page = self.find("internal note")

        assert next(tool.words.name for tool in page.context["tools"]) == NOTE
        self.assertContains(page, "Ask once a session. Technicians and above may decide.")
        assert self.find("search tickets").context["tools"][0].then == "Runs at once"
        self.assertContains(self.find("zzz"), "No tool found")

    def test_what_is_switched_off_is_not_there_and_its_form_neither(self) -> None:
        set_policy(actor=self.actor(self.adam), tool=registry.get(NOTE), mode=Mode.DISABLED)

        assert NOTE not in [tool.words.name for tool in self.find("").context["tools"]]
        assert self.form(NOTE).status_code == 404

    def test_a_signal_without_a_company_says_why_there_are_no_tools(self) -> None:
        Signal.unscoped.filter(pk=self.signal.pk).update(company=None)

        self.assertContains(self.find(""), "Choose it on the signal")

    def test_who_is_limited_to_some_companies_runs_nothing_that_reaches_others(self) -> None:
        limited = MembershipFactory(
            organization=self.northwind, role=Role.TECHNICIAN, all_companies=False, companies=[self.harbor]
        )
        path = self.path(f"signals/{self.signal.pk}/tools/")
        page = self.log_in(limited).get(path)
        sent = self.client.post(f"{path}{MOVE}/", {"key": KEY, "a-ticket_id": "1", "a-company_id": "251"})

        names = {tool.words.name for tool in page.context["tools"]}
        assert NOTE in names
        assert MOVE not in names
        assert sent.status_code == 404
        assert MOVE in {tool.words.name for tool in self.find("").context["tools"]}

    def test_a_rival_finds_neither_list_nor_form(self) -> None:
        for path in ("tools/", f"tools/{NOTE}/"):
            response = self.log_in(self.ines).get(self.path(f"signals/{self.signal.pk}/{path}"))
            assert response.status_code in (403, 404)

    def test_the_ticket_fills_what_is_needed_and_the_company_gives_choices(self) -> None:
        self.send("connectwise.find_contact", KEY)
        note, search = self.form(NOTE), self.form("connectwise.search_tickets")

        filled = {one.field.name: one.field.value for one in note.context["fields"]}
        assert filled["ticket_id"] == self.signal.external_id
        contact = next(one for one in search.context["fields"] if one.field.name == "contact_id")
        assert contact.field.value == ""
        assert "Dana Reyes" in [choice.label for choice in contact.suggested]

    def test_what_a_look_up_listed_can_be_chosen_by_name_whatever_its_plural(self) -> None:
        board = self.signal.board
        assert board is not None
        self.send("connectwise.board_options", KEY, board_id=board.external_id)
        fields = {one.field.name: one for one in self.form("connectwise.classify_ticket").context["fields"]}
        for name, label in (("type_id", "Email"), ("priority_id", "Priority 1 - Critical")):
            assert label in [choice.label for choice in fields[name].suggested]
        statuses = {one.field.name: one for one in self.form("connectwise.set_ticket_status").context["fields"]}
        assert "Waiting on client" in [choice.label for choice in statuses["status_id"].suggested]


class RunningTests(ByHandCase):
    def test_a_look_up_is_answered_at_once_without_any_session(self) -> None:
        response = self.send("connectwise.search_tickets", KEY, text="VPN", limit="5")

        action = Action.unscoped.get(tool="connectwise.search_tickets")
        assert response["Location"].endswith(f"actions/{action.pk}/result/")
        assert (action.state, action.arguments["limit"]) == (Action.State.SUCCEEDED, 5)
        assert (action.proposed_by, action.origin.mode) == ("Theo Okafor", Origin.Mode.BY_HAND)

    def test_a_change_waits_for_its_approval_and_two_presses_ask_once(self) -> None:
        for _ in range(2):
            response = self.send(NOTE, KEY, ticket_id=self.signal.external_id, text="Called back.")
        (action,) = Action.unscoped.filter(tool=NOTE)

        assert action.state == Action.State.WAITING
        assert response["Location"].endswith(f"approvals/?action={action.pk}")
        assert self.sandbox.effects() == []
        self.log_in(self.theo)
        body = {"verdict": "approve", "digest": action.digest}
        self.client.post(self.path(f"approvals/{action.pk}/decide/"), body, content_type="application/json")
        self.drain()
        assert len(self.sandbox.effects()) == 1

    def test_what_nobody_decided_ends_with_the_signal_that_a_person_closes(self) -> None:
        for key in (KEY, OTHER):
            self.send(NOTE, key, ticket_id=self.signal.external_id, text=f"Called back {key[:1]}.")
        first, second = Action.unscoped.filter(tool=NOTE).order_by("created_at")
        decide_action(action_id=first.pk, actor=self.actor(self.theo), verdict="approve", digest=first.digest)
        Signal.unscoped.filter(pk=self.signal.pk).update(state=Signal.State.IN_REVIEW)
        self.log_in(self.theo).post(self.path(f"signals/{self.signal.pk}/resolve/"))
        self.drain()
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == (Action.State.SUCCEEDED, Action.State.CANCELLED)
        assert second.reason == "Theo Okafor closed the signal before this was decided."
        assert len(self.sandbox.effects()) == 1

    def test_a_ticket_that_is_opened_for_an_alert_is_the_alerts_own_and_comes_no_second_time(self) -> None:
        rmm = ConnectionFactory(organization=self.northwind, vendor="ninjaone")
        alert_id = "6f0f3b0e-3f0e-4c55-9d1a-0d9f4a3c2b11"
        alert = SignalFactory(
            company=self.harbor, connection=rmm, external_id=alert_id, subject="Device offline", alert_type="DOWN"
        )
        board = self.signal.board
        assert board is not None
        self.signal = alert
        asked = {"summary": "Printer at the front desk is offline", "description": "NinjaOne says so."}
        self.send(CREATE, KEY, **asked, board_id=board.external_id)
        self.poll()
        action = Action.unscoped.get(tool=CREATE)
        self.log_in(self.mara)
        body = {"verdict": "approve", "digest": action.digest}
        self.client.post(self.path(f"approvals/{action.pk}/decide/"), body, content_type="application/json")
        self.drain()
        self.poll()

        alert = self.reload(alert)
        assert alert.connection == self.connection
        assert alert.subject == asked["summary"]
        left = Signal.unscoped.get(connection=rmm, external_id=alert_id)
        assert (left.state, left.ticket) == (Signal.State.MERGED, alert)
        assert Signal.unscoped.get(subject=asked["summary"], state__in=Signal.OPEN) == alert

    def test_what_does_not_fit_is_told_at_its_field_and_what_was_typed_is_kept(self) -> None:
        page = self.send("connectwise.search_tickets", KEY, text="VPN", limit="many")

        assert page.status_code == 422
        self.assertContains(page, "Must be a whole number.", status_code=422)
        self.assertContains(page, 'value="VPN"', status_code=422)
        assert not Action.unscoped.filter(tool="connectwise.search_tickets").exists()

    def test_in_a_session_the_card_stands_in_its_chat_and_no_model_is_asked(self) -> None:
        session = self.start()
        for action in self.waiting(session):
            self.decide(action, "deny", reason="By hand")
        before = len(read_events(session))
        told = self.run_on(session).steps_used
        response = self.send(NOTE, OTHER, ticket_id=self.signal.external_id, text="By hand.")
        self.drain()

        assert response["Location"].endswith(f"signals/{self.signal.pk}/")
        action = Action.unscoped.get(tool=NOTE, call_id=f"hand.{OTHER}")
        assert action.origin_id == session.origin_id
        assert [row.action_id for row, _ in read_events(session)[before:]] == [action.pk]
        assert self.run_on(session).steps_used == told

    def test_a_session_that_begins_between_two_presses_is_not_asked_again(self) -> None:
        self.send(NOTE, KEY, ticket_id=self.signal.external_id, text="By hand.")
        session = self.start()
        response = self.send(NOTE, KEY, ticket_id=self.signal.external_id, text="By hand.")

        (action,) = Action.unscoped.filter(call_id=f"hand.{KEY}")
        assert action.origin_id != session.origin_id
        assert response["Location"].endswith(f"approvals/?action={action.pk}")

    def test_a_prepared_session_takes_no_change_so_it_stands_on_its_own(self) -> None:
        session = self.start(mode="prepare")
        self.send(NOTE, KEY, ticket_id=self.signal.external_id, text="By hand.")

        action = Action.unscoped.get(tool=NOTE)
        assert action.state == Action.State.WAITING
        assert action.origin_id != session.origin_id

    def test_another_companys_ticket_is_refused_and_nothing_leaves(self) -> None:
        foreign = self.sandbox.plant_ticket("Theirs", "Text", company="KESSLER")
        page = self.send(NOTE, KEY, ticket_id=str(foreign), text="By hand.")

        action = Action.unscoped.get(tool=NOTE)
        assert action.state == Action.State.REFUSED
        assert "is not a ticket of" in action.reason
        self.assertContains(page, "is not a ticket of", status_code=422)
        self.assertContains(page, "By hand.</textarea>", status_code=422)
        self.assertNotContains(page, KEY, status_code=422)

    def test_a_form_that_was_not_made_here_is_not_taken(self) -> None:
        assert self.send(NOTE, "x").status_code == 404


class ServedArgumentTests(Served, ByHandCase):
    """A server's schema takes nothing for a number but a number, and calls its arguments as it likes."""

    def test_what_is_typed_is_asked_for_whatever_the_server_calls_it(self) -> None:
        self.alter_tool("search_guides", inputSchema=ASKED)
        check_connection(self.server, insists=True)
        self.classify("search_guides", GUIDES)
        page = self.form("mcp_assets.search_guides")
        self.send("mcp_assets.search_guides", KEY, words="printer", key="not ours", limit="5")

        self.assertContains(page, 'name="a-key"')
        action = Action.unscoped.get(call_id=f"hand.{KEY}")
        assert action.arguments == {"words": "printer", "key": "not ours", "limit": 5}

    def test_what_is_typed_becomes_what_the_servers_schema_asks_for(self) -> None:
        self.alter_tool("search_guides", inputSchema=ASKED)
        check_connection(self.server, insists=True)
        self.classify("search_guides", GUIDES)
        tool = self.tool("search_guides")
        fields = [ByHandField(field) for field in schema_fields(tool.schema, {})]
        typed = {"words": "5", "key": "k", "limit": "5", "share": "0.5", "pages": "1\n2", "maybe": "7", "either": "9"}

        arguments = arguments_typed(fields, {**typed, "filter": '{"a": 1}'})

        assert tool.freeze(arguments) == {
            "words": "5",
            "key": "k",
            "limit": 5,
            "share": 0.5,
            "pages": [1, 2],
            "filter": {"a": 1},
            "maybe": 7,
            "either": "9",
        }
        for wrong in ("many", "true", "NaN", "1e999"):
            with pytest.raises(InvalidArguments):
                tool.accept(arguments_typed(fields, {"words": "x", "limit": wrong, "share": wrong}))
