"""The editor as the browser asks it: checking, keeping, joining two people's saves, pictures."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from runbooks.models import Runbook, RunbookEdit, RunbookImage
from runbooks.services import PublishRefused, save_draft
from tests.runbooks.cases import RESET
from tests.runbooks.test_admin import FORM, AdminCase


class CheckTests(AdminCase):
    def check(self, body: str, **fields: str) -> Any:
        answer = self.client.post(self.admin("check/"), {"body": body, "inputs": "[]", "audience": "ai", **fields})
        return answer.json()

    def problems(self, body: str, **fields: str) -> list[tuple[int, str]]:
        return [(problem["line"], problem["message"]) for problem in self.check(body, **fields)["problems"]]

    def test_each_problem_is_told_with_its_line_while_typing(self) -> None:
        found = self.problems(
            "1. @connectwise.fix_all\n2. @ninjaone.reboot\n3. @connectwise.add_customer_note\n4.\n"
            "5. @connectwise.add_internal_note(ticket_id=ticket.id, text=input.note)\n\n> [!DECISION] Well?\n"
        )
        assert [line for line, _ in found] == [1, 2, 3, 4, 5, 7]
        words = " ".join(message for _, message in found)
        for part in ("no tool called", "@ninjaone", "bind ticket_id, text", "empty", "not declared", "no options"):
            assert part in words

    def test_an_answer_that_leads_to_no_step_is_told_while_typing(self) -> None:
        body = "1. Read\n\n   > [!DECISION] Well?\n   > - Yes\n   > - No: go to step 99\n2. Tell\n"
        assert self.problems(body) == [(5, "The answer “No: go to step 99” leads to step 99, and there is none.")]

    def test_the_preview_calls_a_decision_what_the_run_calls_it(self) -> None:
        html = self.check("1. Read\n\n   > [!DECISION] Well?\n   > - Yes\n2. > [!DECISION] So?\n   > - No\n")["html"]
        assert "Decision 1a:</strong> Well?" in html
        assert "Decision:</strong> So?" in html

    def test_a_declared_input_is_known_at_once(self) -> None:
        inputs = json.dumps([{"name": "note", "label": "Note"}])
        body = "1. @connectwise.add_internal_note(ticket_id=ticket.id, text=input.note)"
        assert self.problems(body, inputs=inputs) == []

    def test_inputs_that_cannot_be_read_are_a_problem_and_no_error(self) -> None:
        for inputs in ("{", '"x"', '[{"name": "A b"}]', "[" * 5000):
            assert self.check("1. Read", inputs=inputs)["problems"][0]["line"] == 0

    def test_an_input_without_its_parts_is_told_what_to_write(self) -> None:
        found = self.problems("1. Read", inputs='["reason"]')
        assert found[0][1].startswith("Input 1: write its name and its label, such as name: reset_reason")

    def test_the_preview_is_what_the_page_of_the_runbook_shows(self) -> None:
        body = "# One\n\n> [!WARNING]\n> Careful\n\n## Two\n\n1. @connectwise.get_ticket\n\n## Two\n\n"
        body += "```mermaid\na-->b\n```\n"
        preview = self.check(body)["html"]
        page = self.client.get(self.path(f"runbooks/{self.draft(body=body).pk}/")).content.decode()
        drawn = re.search(r'<div class="rb-prose".*?</figure>', preview, re.DOTALL)
        assert drawn is not None
        assert drawn[0] in page
        assert 'class="callout callout-warning"' in preview
        assert 'href="#part-two"' in preview
        assert 'href="#part-two-2"' in preview

    def test_foreign_pictures_and_raw_html_stay_words(self) -> None:
        html = self.check("1. ![x](https://evil.example/a.png) <img src=x onerror=alert(1)> ![y](image:nonsense)")[
            "html"
        ]
        assert "<img" not in html
        assert "not shown" in html

    def test_the_check_changes_nothing(self) -> None:
        self.check(RESET)
        assert not Runbook.objects.for_organization(self.northwind).exists()

    def test_a_text_that_is_too_long_is_refused_with_its_length(self) -> None:
        assert "at most 100,000 fit" in self.problems("a" * 100_001)[0][1]


class ToolsTests(AdminCase):
    def test_only_tools_of_connected_systems_are_offered_with_what_they_do(self) -> None:
        found = {tool["name"]: tool for tool in self.client.get(self.admin("tools/")).json()["tools"]}
        assert {name.partition(".")[0] for name in found} == {"connectwise", "junto"}
        note = found["connectwise.add_customer_note"]
        assert (note["category"], note["risk"], note["risky"]) == ("Changes", "medium", True)
        assert note["flags"] == ["The client sees it"]
        arguments = {argument["name"]: argument for argument in note["arguments"]}
        assert arguments["ticket_id"]["fact"] == "ticket.id"
        assert (arguments["text"]["kind"], arguments["text"]["required"]) == ("long text", True)
        assert (arguments["notify"]["kind"], arguments["notify"]["default"]) == ("yes or no", "false")


class KeepingTests(AdminCase):
    def keep(self, runbook: Runbook | None, **fields: str) -> Any:
        return self.client.post(self.admin(f"{runbook.pk}/keep/" if runbook else "keep/"), fields)

    def test_what_was_typed_survives_and_is_no_version(self) -> None:
        runbook = self.draft()
        before = runbook.history.count()
        assert self.keep(runbook, body="1. Something typed", title=runbook.title).status_code == 200
        runbook.refresh_from_db()
        assert (runbook.body, runbook.history.count()) == (RESET, before)
        path = self.admin(f"{runbook.pk}/change/")
        self.assertContains(self.client.get(path), "never saved")
        self.assertContains(self.client.get(f"{path}?kept=1"), "1. Something typed")

    def test_a_new_runbook_is_kept_too(self) -> None:
        self.keep(None, body="1. Brand new", inputs='[{"name": "x"')
        page = self.client.get(self.admin("add/") + "?kept=1")
        self.assertContains(page, "1. Brand new")
        self.assertContains(page, "[{&quot;name&quot;: &quot;x&quot;")

    def test_saving_and_throwing_away_both_end_it(self) -> None:
        runbook = self.draft()
        self.keep(runbook, body="1. Typed")
        self.client.post(self.admin(f"{runbook.pk}/change/"), FORM)
        self.assertNotContains(self.client.get(self.admin(f"{runbook.pk}/change/")), "never saved")
        self.keep(runbook, body="1. Typed again")
        self.keep(runbook, forget="1")
        self.assertNotContains(self.client.get(self.admin(f"{runbook.pk}/change/")), "never saved")

    def test_nobody_sees_what_another_one_typed(self) -> None:
        runbook = self.draft()
        self.keep(runbook, body="1. Mara's secret thought")
        self.log_in(self.adam)
        self.assertNotContains(self.client.get(self.admin(f"{runbook.pk}/change/") + "?kept=1"), "secret thought")

    def test_two_people_are_told_of_each_other_and_of_a_save(self) -> None:
        runbook = self.draft()
        opened = runbook.history.latest("history_id").history_id
        self.keep(runbook, based_on=str(opened))
        self.log_in(self.adam)
        assert self.keep(runbook, based_on=str(opened)).json()["others"] == ["Mara Lindholm"]
        runbook.body = "1. By Adam"
        save_draft(actor=self.actor(self.adam), runbook=runbook)
        self.log_in(self.mara)
        answer = self.keep(runbook, based_on=str(opened)).json()
        assert (answer["others"], answer["saved_by"]) == (["Adam Reyes"], "Adam Reyes")

    def test_more_than_any_runbook_may_hold_is_not_kept(self) -> None:
        assert self.keep(None, body="a" * 400_001).status_code == 400
        assert not RunbookEdit.objects.for_organization(self.northwind).exists()


class JoiningTests(AdminCase):
    """Mara opens the form, Adam saves, then Mara saves."""

    def setUp(self) -> None:
        super().setUp()
        self.runbook = self.draft(body="1. One\n2. Two\n3. Three\n", audience="human")
        self.opened = self.runbook.history.latest("history_id").history_id

    def adam_saves(self, **fields: Any) -> None:
        runbook = Runbook.objects.for_organization(self.northwind).get(pk=self.runbook.pk)
        for name, value in fields.items():
            setattr(runbook, name, value)
        save_draft(actor=self.actor(self.adam), runbook=runbook)

    def mara_saves(self, **fields: str) -> Any:
        mine = {
            **FORM,
            "body": self.runbook.body,
            "audience": "human",
            "category": "other",
            "tags": "",
            "description": "",
            "based_on": str(self.opened),
            **fields,
        }
        return self.client.post(self.admin(f"{self.runbook.pk}/change/"), mine, follow=True)

    def saved(self) -> Runbook:
        return Runbook.objects.for_organization(self.northwind).get(pk=self.runbook.pk)

    def test_changes_in_different_places_are_both_kept_and_said(self) -> None:
        self.adam_saves(body="1. One, by Adam\n2. Two\n3. Three\n", category="security")
        page = self.mara_saves(body="1. One\n2. Two\n3. Three, by Mara\n", title="By Mara too")
        saved = self.saved()
        assert saved.body.strip() == "1. One, by Adam\n2. Two\n3. Three, by Mara"
        assert (saved.category, saved.title) == ("security", "By Mara too")
        assert "Adam Reyes had saved meanwhile" in self.words(page)

    def test_changes_that_meet_are_settled_by_their_author_on_a_page(self) -> None:
        self.adam_saves(body="1. One\n2. Two, by Adam\n3. Three\n", title="Title by Adam")
        page = self.mara_saves(body="1. One\n2. Two, by Mara\n3. Three\n", title="Title by Mara")
        self.assertContains(page, "Nothing of yours is lost or saved yet")
        self.assertContains(page, 'data-label="Adam Reyes’s">Title by Adam</td>')  # its column, on a phone too
        assert self.saved().body == "1. One\n2. Two, by Adam\n3. Three\n"
        form = self.settling(page)
        page = self.client.post(
            self.admin(f"{self.runbook.pk}/change/"), {**form, "hunk-1": "both", "title": "ours"}, follow=True
        )
        saved = self.saved()
        assert saved.title == "Title by Mara"
        assert "2. Two, by Mara\n2. Two, by Adam" in saved.body

    def test_what_is_not_settled_is_asked_again(self) -> None:
        self.adam_saves(body="1. One\n2. Two, by Adam\n3. Three\n")
        form = self.settling(self.mara_saves(body="1. One\n2. Two, by Mara\n3. Three\n"))
        page = self.client.post(self.admin(f"{self.runbook.pk}/change/"), form)
        self.assertContains(page, "data-missing")
        assert self.saved().body == "1. One\n2. Two, by Adam\n3. Three\n"

    def test_a_third_save_while_settling_is_not_lost_either(self) -> None:
        self.adam_saves(body="1. One\n2. Two, by Adam\n3. Three\n")
        form = self.settling(self.mara_saves(body="1. One\n2. Two, by Mara\n3. Three\n"))
        self.adam_saves(body="1. One\n2. Two, by Adam again\n3. Three\n")
        page = self.client.post(self.admin(f"{self.runbook.pk}/change/"), {**form, "hunk-1": "ours"})
        self.assertContains(page, "Two, by")
        assert self.saved().body == "1. One\n2. Two, by Adam again\n3. Three\n"

    def settling(self, page: Any) -> dict[str, str]:
        """What the browser would send from the page that settles."""
        shown = page.context
        return {"against": str(shown["against"]), **dict(shown["mine"])}


class PictureTests(AdminCase):
    def picture(self, kind: str = "PNG", size: tuple[int, int] = (20, 10), **options: Any) -> bytes:
        drawn = io.BytesIO()
        Image.new("RGB", size, "teal").save(drawn, kind, **options)
        return drawn.getvalue()

    def upload(self, content: bytes, name: str = "shot.png") -> Any:
        return self.client.post(self.admin("images/"), {"image": SimpleUploadedFile(name, content, "image/png")})

    def test_a_picture_is_drawn_anew_shown_in_the_text_and_served_as_nothing_else(self) -> None:
        exif = Image.Exif()
        exif[0x010E] = "taken at the client's house"
        address = self.upload(self.picture("JPEG", exif=exif), "holiday.exe").json()["address"]
        stored = RunbookImage.objects.for_organization(self.northwind).get()
        assert b"client's house" not in bytes(stored.content)
        runbook = self.draft(body=f"1. Look\n\n![The screen]({address})\n")
        path = self.path(f"runbooks/images/{stored.pk}/")
        self.assertContains(
            self.client.get(self.path(f"runbooks/{runbook.pk}/")), f'<img src="{path}" alt="The screen"'
        )
        answer = self.client.get(path)
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_a_picture_that_is_not_there_is_a_problem_on_its_line_while_typing_and_at_publishing(self) -> None:
        there = self.upload(self.picture()).json()["address"]
        gone = f"{there[:-8]}00000000"
        body = f"1. Look\n   ![The screen]({there})\n   ![Another]({gone})\n2. Then\n\n   ![No id](image:x)\n"
        typed = self.client.post(self.admin("check/"), {"body": body, "inputs": "[]", "audience": "human"}).json()
        assert [problem["line"] for problem in typed["problems"]] == [3, 6]
        with pytest.raises(PublishRefused, match="Line 3: There is no such picture here"):
            self.published(body=body, audience="human")

    def test_the_type_is_told_from_the_content_and_not_from_the_name(self) -> None:
        hostile = [
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"<html>",
            b"",
            b"\x89PNG\r\n\x1a\n123",
        ]
        for content in hostile:
            assert self.upload(content).status_code == 400, content
        assert not RunbookImage.objects.for_organization(self.northwind).exists()

    def test_what_is_too_large_is_refused(self) -> None:
        assert "larger than 5 MB" in self.upload(b"\x89PNG" + b"0" * 5 * 1024 * 1024).json()["error"]
        bomb = self.picture(size=(9000, 5000))
        assert "million pixels" in self.upload(bomb).json()["error"]

    def test_the_same_picture_is_kept_once(self) -> None:
        assert self.upload(self.picture()).json() == self.upload(self.picture()).json()

    def test_a_member_sees_it_and_ines_does_not(self) -> None:
        self.upload(self.picture())
        image = RunbookImage.objects.for_organization(self.northwind).get()
        self.log_in(self.theo)
        assert self.client.get(self.path(f"runbooks/images/{image.pk}/")).status_code == 200
        self.log_in(self.ines)
        elsewhere = self.path(f"runbooks/images/{image.pk}/", organization=self.southgate)
        assert self.client.get(elsewhere).status_code == 404

    def test_a_technician_uploads_nothing(self) -> None:
        self.log_in(self.theo)
        assert self.upload(self.picture()).status_code == 403


class DiagramTests(AdminCase):
    def test_the_frame_that_draws_has_no_part_in_our_origin(self) -> None:
        policy = self.client.get(self.path("runbooks/diagrams/"))["Content-Security-Policy"]
        assert "sandbox allow-scripts" in policy
        assert "allow-same-origin" not in policy
        assert "connect-src" not in policy
