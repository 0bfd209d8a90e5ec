"""The pages around sessions over HTTP: the triage page, whole results, and the approvals queue."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse

from agent.models import AgentSession
from agent.services import close_session
from approvals.models import Action, ApprovalPolicy
from approvals.policy import Mode
from approvals.services import waiting_for
from junto.tenants.models import Membership
from signals.models import Signal
from tests.agent.cases import SessionTestCase


class TriagePageTest(SessionTestCase):
    def page(self, by: Membership | None = None, **headers: str) -> HttpResponse:
        """The signal's page as a member sees it."""
        return self.log_in(by or self.theo).get(self.path(f"signals/{self.signal.pk}/"), headers=headers)

    def test_before_a_session_the_page_shows_the_ticket_and_how_to_start(self) -> None:
        page = self.page()
        assert page.status_code == 200
        self.assertContains(page, "Cannot sign in to the VPN")
        self.assertContains(page, "Start the agent")

    def test_a_signal_that_is_over_says_why_the_agent_cannot_be_started_and_offers_no_button(self) -> None:
        for state, word in ((Signal.State.RESOLVED, "Resolved"), (Signal.State.DISMISSED, "Dismissed")):
            Signal.objects.for_organization(self.northwind).filter(pk=self.signal.pk).update(state=state)
            for page in (self.page(), self.page(**{"HX-Request": "true", "HX-Target": "context"})):
                self.assertContains(page, f"This signal is “{word}”: the agent works on open ones only.")
                self.assertNotContains(page, "data-start>")

    def test_the_page_says_that_the_model_rehearses(self) -> None:
        self.assertContains(self.page(), "Rehearsal model")

    def test_after_the_agent_worked_its_words_and_its_request_stand_on_the_page(self) -> None:
        session = self.start()
        page = self.page(self.oskar)
        self.assertContains(page, f'data-action="{self.waiting(session)[0].pk}"')
        self.assertContains(page, "Exactly what will be sent")

    def test_a_look_up_that_must_be_asked_has_its_card_in_the_chat(self) -> None:
        ApprovalPolicy(
            organization=self.northwind, tool="connectwise.get_ticket", mode=Mode.ALWAYS, set_by=self.adam
        ).save()
        session = self.start()
        (asked,) = self.waiting(session)
        assert not asked.is_write
        card = f'<section class="approval" role="group" data-action="{asked.pk}"'
        page = self.page(self.olivia)
        self.assertContains(page, card)
        self.assertContains(page, 'data-decide="approve"')
        self.decide(asked, "deny", reason="Not this one")
        self.assertContains(self.page(self.olivia), card)

    def test_a_ticket_is_resolved_or_dismissed_only_when_no_session_is_open_on_it(self) -> None:
        self.assertContains(self.page(), "Dismiss</button>")
        session = self.start()
        page = self.page()
        self.assertNotContains(page, "Dismiss</button>")
        self.assertContains(page, "session first")
        close_session(session=session, actor=self.actor(self.theo))
        self.assertContains(self.page(), "Dismiss</button>")

    def test_what_was_read_is_told_by_what_was_found(self) -> None:
        session = self.start()
        found = self.page().context["findings"]
        read = next(each for each in found if each.source.startswith("Read ticket"))
        assert read.lines[0].startswith("Hi, the VPN says")
        devices = self.actions(session, "connectwise.list_configurations")[0].result["configurations"]
        listed = next(each for each in found if each.source.startswith("List devices"))
        assert listed.lines[0].startswith(devices[0]["name"])
        assert listed.more == len(devices) - len(listed.lines)
        tickets = self.actions(session, "connectwise.search_tickets")[0].result["tickets"]
        assert self.signal.external_id in [str(each["id"]) for each in tickets]
        searched = next(each for each in found if each.source.startswith("Search tickets"))
        assert searched.title == f"{len(tickets) - 1} other tickets"

    def test_reference_marks_are_not_shown_to_people(self) -> None:
        session = self.start()
        while self.waiting(session):
            session = self.decide(self.waiting(session)[0], "approve", target=self.harlow.name)
        self.poll()
        session = self.say(session, "Read the ticket again")
        assert any("[ref:" in note.text for note in self.signal.notes.all())
        self.assertNotContains(self.page(self.olivia), "[ref:")

    def test_hostile_ticket_text_is_shown_as_text(self) -> None:
        self.signal = self.ticket("<script>alert(1)</script> broken", "<img src=x onerror=alert(1)> \u202egnp.exe")
        page = self.page()
        self.assertNotContains(page, "<script>alert(1)")
        self.assertNotContains(page, "<img src=x")
        self.assertContains(page, "[U+202E]")

    def test_starting_by_form_opens_a_session(self) -> None:
        answer = self.log_in(self.theo).post(self.path(f"signals/{self.signal.pk}/start/"))
        assert answer.status_code == 302
        assert AgentSession.unscoped.filter(signal=self.signal).exists()

    def test_ines_does_not_find_northwinds_signal(self) -> None:
        browser = self.log_in(self.ines)
        assert browser.get(self.path(f"signals/{self.signal.pk}/")).status_code == 404
        assert browser.get(f"/o/southgate/signals/{self.signal.pk}/").status_code == 404

    def test_the_whole_result_of_a_look_up_is_one_click_away(self) -> None:
        session = self.start()
        action = self.actions(session, "connectwise.get_ticket")[0]
        page = self.log_in(self.theo).get(self.path(f"actions/{action.pk}/result/"))
        self.assertContains(page, "credentials rejected")


class QueueTest(SessionTestCase):
    session: AgentSession

    def setUp(self) -> None:
        super().setUp()
        self.session = self.start()

    def post(self, by: Membership, deed: str, body: dict[str, Any], action: Action | None = None) -> HttpResponse:
        """What the queue's buttons send."""
        wanted = action or self.waiting(self.session)[0]
        path = self.path(f"approvals/{wanted.pk}/{deed}/")
        return self.log_in(by).post(path, json.dumps(body), content_type="application/json")

    def test_badge_dashboard_and_queue_count_what_this_member_may_decide(self) -> None:
        entry = self.until("connectwise.add_time_entry")
        for member, waits in ((self.theo, 0), (self.oskar, 1)):
            home, queue = self.counted(member, ""), self.counted(member, "approvals/")
            assert (home["badge"], queue["badge"]) == (waits, waits)
            assert (home["dashboard"], queue["head"]) == (waits, waits)
        self.decide(entry, "approve", self.oskar)

    def test_reading_the_queue_again_brings_its_head_and_the_badge_along(self) -> None:
        entry = self.until("connectwise.add_time_entry")
        browser = self.log_in(self.oskar)
        again = {"HX-Request": "true"}
        part = browser.get(self.path("approvals/"), headers=again)
        self.assertContains(part, '<p id="queue-head" hx-swap-oob="true">1 waits for you.')
        self.assertContains(part, '<data data-nav-count="queue" value="1" hidden>')
        self.decide(entry, "deny", self.olivia, reason="Not billable")
        part = browser.get(self.path("approvals/"), headers=again)
        waits = waiting_for(self.actor(self.oskar)).count()
        self.assertContains(part, f'<data data-nav-count="queue" value="{waits}" hidden>')

    def counted(self, member: Membership, path: str) -> dict[str, int | None]:
        """What a page says of how much waits."""
        context = self.log_in(member).get(self.path(path)).context
        (badge,) = [page.count for page in context["nav"] if page.label == "Approvals"]
        return {
            "badge": badge,
            "dashboard": context.get("counts", {}).get("approvals_waiting"),
            "head": context.get("waiting_count"),
        }

    def test_what_waits_stands_in_the_queue_of_those_who_may_decide(self) -> None:
        page = self.log_in(self.olivia).get(self.path("approvals/"))
        self.assertContains(page, self.waiting(self.session)[0].title)

    def test_approving_in_the_queue_runs_exactly_that_action(self) -> None:
        action = self.waiting(self.session)[0]
        answer = self.post(self.olivia, "decide", {"verdict": "approve", "digest": action.digest})
        assert answer.status_code == 200, answer.content
        self.drain()
        assert len(self.sandbox.effects()) == 1
        assert Action.unscoped.get(pk=action.pk).state == Action.State.SUCCEEDED

    def test_a_stale_digest_is_refused_with_words_and_nothing_runs(self) -> None:
        answer = self.post(self.olivia, "decide", {"verdict": "approve", "digest": "0" * 64})
        assert answer.status_code == 409
        assert json.loads(answer.content)["message"]
        self.drain()
        assert not self.sandbox.effects()

    def test_a_denial_without_a_reason_names_what_is_missing_and_the_request_waits_on(self) -> None:
        action = self.waiting(self.session)[0]
        answer = self.post(self.olivia, "decide", {"verdict": "deny", "digest": action.digest, "reason": "  "})
        assert answer.status_code == 409
        refusal = json.loads(answer.content)
        assert (refusal["code"], list(refusal["fields"])) == ("no_reason", ["reason"])
        assert Action.unscoped.get(pk=action.pk).state == Action.State.WAITING

    def test_the_second_to_press_learns_who_was_first(self) -> None:
        action = self.waiting(self.session)[0]
        body = {"verdict": "approve", "digest": action.digest}
        self.post(self.mara, "decide", body, action)
        answer = self.post(self.olivia, "decide", body, action)
        assert answer.status_code == 409
        assert "Mara" in json.loads(answer.content)["message"]

    def test_changed_arguments_are_previewed_then_approved_and_sent_as_changed(self) -> None:
        note = self.until("connectwise.add_internal_note")
        changed = {**note.arguments, "text": "Shorter, and checked by a person."}
        preview = json.loads(self.post(self.olivia, "preview", {"arguments": changed}, note).content)
        body = {"verdict": "approve", "arguments": changed}
        body |= {name: preview[name] for name in ("digest", "target_digest")}
        assert self.post(self.olivia, "decide", body, note).status_code == 200
        self.drain()
        assert "Shorter, and checked by a person." in str(self.sandbox.effects()[-1]["body"])

    def test_arguments_that_break_the_schema_name_their_field_and_change_nothing(self) -> None:
        note = self.until("connectwise.add_internal_note")
        answer = self.post(self.olivia, "preview", {"arguments": {**note.arguments, "text": ""}}, note)
        assert answer.status_code == 409
        assert "text" in json.loads(answer.content)["fields"]
        assert Action.unscoped.get(pk=note.pk).state == Action.State.WAITING

    def test_a_technician_cannot_approve_a_time_entry_and_passes_it_on(self) -> None:
        entry = self.until("connectwise.add_time_entry")
        refused = self.post(self.theo, "decide", {"verdict": "approve", "digest": entry.digest}, entry)
        assert refused.status_code == 409
        passed = self.post(self.theo, "pass-on", {}, entry)
        assert "Operator" in json.loads(passed.content)["message"]
        assert self.post(self.oskar, "decide", {"verdict": "approve", "digest": entry.digest}, entry).status_code == 200

    def test_several_are_denied_with_one_reason_each_for_itself_as_it_was_shown(self) -> None:
        wanted = self.waiting(self.session)[0]
        shown = [f"{wanted.pk}:{wanted.digest}", f"{wanted.pk}:{'0' * 64}", f"{self.session.pk}:x", "nonsense:"]
        answer = self.deny_many(self.ines, shown[:1])
        self.assertContains(answer, "1 not denied: It is not there any more.")
        self.assertContains(self.deny_many(self.olivia, shown[:1], reason=" "), "Nothing was denied.")
        self.assertContains(self.deny_many(self.olivia, [shown[1]]), "1 not denied:")
        wanted.refresh_from_db()
        assert wanted.state == Action.State.WAITING
        answer = self.deny_many(self.olivia, shown)
        self.assertContains(answer, "1 denied. Who asked was given the reason.")
        self.assertContains(answer, "3 not denied:")
        wanted.refresh_from_db()
        assert wanted.state == Action.State.DENIED
        assert wanted.decisions.get().reason == "Wrong client"

    def deny_many(self, by: Membership, shown: list[str], reason: str = "Wrong client") -> HttpResponse:
        path = self.path("approvals/deny/", organization=by.organization)
        return self.log_in(by).post(path, {"shown": shown, "reason": reason}, follow=True)

    def test_the_card_names_the_session_that_asked(self) -> None:
        card = self.log_in(self.olivia).get(self.path(f"approvals/?action={self.waiting(self.session)[0].pk}"))
        self.assertContains(card, "session of ticket")
        self.assertContains(card, "<dt>Asked by</dt><dd>Agent,")

    def test_ines_finds_none_of_northwinds_actions(self) -> None:
        action = self.waiting(self.session)[0]
        answer = self.post(self.ines, "decide", {"verdict": "approve", "digest": action.digest}, action)
        assert answer.status_code == 404

    def test_a_request_that_is_no_json_is_refused_with_words(self) -> None:
        action = self.waiting(self.session)[0]
        path = self.path(f"approvals/{action.pk}/decide/")
        answer = self.log_in(self.olivia).post(path, "{", content_type="application/json")
        assert answer.status_code == 400
        assert "JSON" in json.loads(answer.content)["message"]

    def until(self, tool: str) -> Action:
        """Approve what is asked until the agent asks for `tool`; that request."""
        for _ in range(10):
            waiting = self.waiting(self.session)[0]
            if waiting.tool == tool:
                return waiting
            self.session = self.decide(waiting, "approve")
        raise AssertionError(f"{tool} was never asked for")
