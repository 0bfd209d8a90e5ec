"""Runbooks as files: what is written can be read, what is wrong is named with its line, nothing is published."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from junto.team.services import limit_to_companies
from junto.tenants.permissions import PermissionDenied
from runbooks.files import FileRefused, read_file
from runbooks.importing import PlanMoved, apply_import, as_file, file_name, plan_import
from runbooks.models import Runbook
from runbooks.services import archive_runbook, fork_runbook, save_draft
from tests.runbooks.cases import RESET, RunbookCase

FILE = f"""---
key: reset-a-password
title: Reset a password
audience: ai
category: access
tags: [password]
inputs:
- name: user
  label: Who
---

{RESET}"""


def refusal(text: str) -> str:
    with pytest.raises(FileRefused) as refused:
        read_file(text)
    return str(refused.value)


class Reading(RunbookCase):
    def test_what_is_wrong_is_named_with_its_line(self) -> None:
        assert refusal("# Reset").startswith("line 1: A runbook's file begins with front matter")
        assert "has no end" in refusal("---\nkey: a\n")
        assert refusal(FILE.replace("audience: ai", "audience: robot")).startswith("line 4: audience:")
        assert refusal(FILE.replace("tags: [password]", "tags: [password")).startswith("line 7: The front matter")
        assert refusal(FILE.replace("title: Reset a password\n", "")) == "line 1: title: this field is missing."
        assert refusal(FILE.replace("category", "kategorie")) == "line 5: kategorie: there is no such field."
        assert refusal(FILE.replace("title: Reset a password", "title: 2024")).startswith("line 3: title: a text")
        assert refusal(FILE.replace("category: access", "title: Twice")) == "line 5: title is given twice."
        assert refusal(FILE.replace("name: user", "name: A b")).startswith("line 7: Input 1 name")
        assert "Input 1 has no name: write 1 to 40 small letters" in refusal(FILE.replace("name: user", "kind: user"))
        assert refusal(FILE.replace("key: reset-a-password", "key: ../etc/passwd")).startswith("line 2: key:")

    def test_a_small_file_that_would_unfold_to_a_huge_one_is_refused(self) -> None:
        bomb = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'])}]" for n in range(9))
        assert "may not refer to itself" in refusal(f"---\n{bomb}\n---\n")
        assert "deeper than 20" in refusal(f"---\n{'[' * 50_000}\n---\n")
        assert "at most 170,000" in refusal(FILE + "x" * 170_000)
        assert "half a character" in refusal(FILE.replace("access", '"\\ud800"'))

    def test_python_objects_are_not_made(self) -> None:
        assert "cannot be read" in refusal(FILE.replace("access", "!!python/object/apply:os.getcwd []"))

    def test_what_is_written_is_read_the_same(self) -> None:
        runbook = self.draft(
            title="Reset: a “password” #1",
            description="First line\nsecond: line\n---\n",
            body="\n\n1. One\r\n2. ---\n",
            tags=["yes", "1"],
            company=self.harlow,
            inputs=[{"name": "day", "label": "When", "type": "select", "options": ["1", "2"], "default": "1"}],
        )
        text = as_file(runbook)
        read = read_file(text)
        assert (read.content.title, read.content.description) == (runbook.title, runbook.description)
        assert (read.content.tags, read.content.inputs) == (("yes", "1"), runbook.inputs)
        assert (read.content.body, read.company) == ("1. One\n2. ---", self.harlow.name)
        assert text.split("\n")[read.body_line - 1] == "1. One"


class Importing(RunbookCase):
    def plan(self, *texts: str) -> list[tuple[str, str]]:
        files = {f"{number}.md": text for number, text in enumerate(texts)}
        plan = plan_import(actor=self.actor(self.mara), files=files)
        return [(entry.verdict, f"line {entry.line}: {entry.message}") for entry in plan.entries]

    def read_in(self, *texts: str) -> None:
        apply_import(actor=self.actor(self.mara), files={f"{number}.md": text for number, text in enumerate(texts)})

    def test_a_new_file_becomes_a_draft_and_reading_it_again_changes_nothing(self) -> None:
        assert self.plan(FILE)[0][0] == "new"
        assert not Runbook.objects.for_organization(self.northwind).exists()
        self.read_in(FILE)
        runbook = Runbook.objects.for_organization(self.northwind).get()
        assert (runbook.status, runbook.audience, runbook.tags) == ("draft", "ai", ["password"])
        assert runbook.history.latest("history_id").history_user == self.mara.user
        assert self.plan(FILE)[0][0] == "unchanged"
        self.read_in(FILE)
        assert runbook.history.count() == 1

    def test_what_was_exported_is_known_again_by_its_id(self) -> None:
        runbook = self.published()
        assert self.plan(as_file(runbook))[0][0] == "unchanged"
        self.read_in(as_file(runbook).replace("Read the ticket", "Open the ticket"))
        runbook.refresh_from_db()
        assert ("Open the ticket" in runbook.body, runbook.published_number) == (True, 1)
        assert Runbook.objects.for_organization(self.northwind).count() == 1

    def test_a_change_is_shown_before_it_is_made(self) -> None:
        self.read_in(FILE)
        plan = plan_import(actor=self.actor(self.mara), files={"a.md": FILE.replace("category: access", "")})
        (entry,) = plan.entries
        assert entry.verdict == "changed"
        assert entry.differences is not None
        assert [field.label for field in entry.differences.fields] == ["Category"]

    def test_what_keeps_it_from_being_published_is_said_with_the_line_of_the_file(self) -> None:
        plan = plan_import(actor=self.actor(self.mara), files={"a.md": FILE + "4.\n"})
        assert plan.entries[0].problems == ("line 15: This step is empty.",)

    def test_files_that_do_not_fit_are_refused_and_the_others_read(self) -> None:
        archive_runbook(actor=self.actor(self.mara), runbook=self.draft(title="Old and gone"))
        archived = Runbook.objects.for_organization(self.northwind).get()
        refused = [
            FILE,
            FILE.replace("audience: ai", "company: Nobody Ltd"),
            FILE.replace("reset-a-password", "b").replace("audience: ai", "company: Nobody Ltd"),
            FILE.replace("reset-a-password", "c").replace("category: access", "category: magic"),
            FILE.replace("reset-a-password", "d").replace("audience: ai", "fork_of: nothing"),
            FILE.replace("reset-a-password", str(archived.pk)),
        ]
        assert self.plan(*refused) == [
            ("new", "line 0: "),
            ("refused", "line 2: The key reset-a-password stands in 0.md already."),
            ("refused", "line 4: There is no company called Nobody Ltd."),
            ("refused", "line 5: category: Value 'magic' is not a valid choice."),
            ("refused", "line 4: There is no runbook with the key nothing."),
            ("refused", "line 1: It is archived. Restore one of its versions first."),
        ]
        self.read_in(*refused)
        assert Runbook.objects.for_organization(self.northwind).filter(key="reset-a-password").count() == 1

    def test_a_fork_and_its_original_come_back_together(self) -> None:
        original = self.published()
        fork = fork_runbook(actor=self.actor(self.mara), runbook=original, company=self.harlow)
        texts = [as_file(fork).replace(str(original.pk), "original").replace(str(fork.pk), "a-fork")]
        texts.append(as_file(original).replace(str(original.pk), "original"))
        self.read_in(*texts)
        made = Runbook.objects.for_organization(self.northwind).get(key="a-fork")
        assert made.forked_from is not None
        assert (made.forked_from.key, made.forked_number, made.company) == ("original", 1, self.harlow)

    def test_a_fork_whose_original_is_no_global_runbook_of_these_files_is_refused_and_the_others_are_read(self) -> None:
        def fork(key: str, of: str, company: str = "Harlow & Beck") -> str:
            head = f"company: {company}\nfork_of: {of}" if company else f"fork_of: {of}"
            return FILE.replace("reset-a-password", key).replace("category: access", head)

        files = [
            fork("itself", of="itself"),
            fork("this-one", of="that-one"),
            fork("that-one", of="this-one"),
            fork("nobodys", of="reset-a-password", company=""),
            fork("of-a-broken-one", of="broken"),
            FILE.replace("reset-a-password", "broken").replace("category: access", "category: magic"),
            fork("first", of="reset-a-password"),
            fork("second", of="reset-a-password"),
            FILE,
        ]
        not_global = "A fork is one company’s own variant of a runbook for all companies."
        assert [words.partition(": ")[2] for _, words in self.plan(*files)] == [
            *[not_global] * 4,
            "Its original stands in 5.md, which is refused.",
            "category: Value 'magic' is not a valid choice.",
            "",
            "Harlow & Beck has a variant of it already, with the key first.",
            "",
        ]
        self.read_in(*files)
        found = Runbook.objects.for_organization(self.northwind)
        assert set(found.values_list("key", flat=True)) == {"reset-a-password", "first"}
        assert self.plan(fork("third", of="reset-a-password"))[0][0] == "refused"

    def test_the_company_of_a_published_runbook_is_not_moved_by_a_file(self) -> None:
        runbook = self.published()
        moved = as_file(runbook).replace("audience: ai", f"audience: ai\ncompany: {self.harlow}")
        ((verdict, words),) = self.plan(moved)
        assert (verdict, "so whom it is for stays" in words) == ("refused", True)

    def test_an_input_that_cannot_be_kept_is_refused_with_its_line(self) -> None:
        for default, words in (
            (".nan", "cannot be stored"),
            ("-.inf", "cannot be stored"),
            ("abc", "A number is expected."),
            ("9" * 400, "A number is expected."),
        ):
            declared = f"label: Who\n  type: number\n  default: {default}"
            ((verdict, said),) = self.plan(FILE.replace("label: Who", declared))
            assert (verdict, said.startswith("line 7: "), words in said) == ("refused", True, True), said

    def test_all_that_a_runbook_may_hold_comes_back_in(self) -> None:
        label = "Ünlikely: " + "words " * 15
        runbook = self.draft(
            title="T" * 255,
            description="# “Line”: ok 😀\n\n" * 277,
            tags=[f"{number}: " + "x" * 55 for number in range(50)],
            inputs=[{"name": f"i{number}", "label": label, "default": "- [x]: 'é'\n"} for number in range(60)],
            body="1. A step\n" * 9_999,
        )
        assert self.plan(as_file(runbook))[0] == ("unchanged", "line 0: ")

    def test_a_manager_of_one_company_reads_in_for_it_alone(self) -> None:
        hidden = self.draft(title="Only for Pinewood", company=self.pinewood)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        assert self.plan(FILE) == [("refused", "line 1: You may not write runbooks for all companies.")]
        assert self.plan(FILE.replace("category: access", "company: Pinewood Clinic"))[0][0] == "refused"
        assert self.plan(FILE.replace("category: access", f"company: {self.harlow.name}"))[0][0] == "new"
        taken = FILE.replace("reset-a-password", str(hidden.pk)).replace("category: access", f"company: {self.harlow}")
        assert self.plan(taken) == [("refused", f"line 2: The key {hidden.pk} is taken.")]

    def test_a_technician_and_a_stranger_read_in_nothing(self) -> None:
        with pytest.raises(PermissionDenied):
            plan_import(actor=self.actor(self.theo), files={"a.md": FILE})
        runbook = self.published()
        plan = plan_import(actor=self.actor(self.ines), files={"a.md": as_file(runbook)})
        assert [entry.verdict for entry in plan.entries] == ["new"]

    def test_a_plan_that_is_no_longer_true_is_not_carried_out(self) -> None:
        self.read_in(FILE)
        changed = {"a.md": FILE.replace("category: access", "")}
        plan = plan_import(actor=self.actor(self.mara), files=changed)
        save_draft(actor=self.actor(self.mara), runbook=Runbook.objects.for_organization(self.northwind).get())
        with pytest.raises(PlanMoved):
            apply_import(actor=self.actor(self.mara), files=changed, stamp=plan.stamp)


class Commands(RunbookCase):
    def setUp(self) -> None:
        super().setUp()
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)

    def run_command(self, word: str, *options: str) -> str:
        said = io.StringIO()
        call_command("runbooks", word, str(self.folder), "--organization", "northwind", *options, stdout=said)
        return said.getvalue()

    def test_an_export_is_read_in_unchanged_and_a_new_title_keeps_its_file(self) -> None:
        runbook = self.published()
        assert "1 runbooks written" in self.run_command("export")
        (path,) = self.folder.iterdir()
        assert path.name == file_name(runbook)
        assert "1 unchanged" in self.run_command("import", "--actor", "mara@example.com").lower()
        runbook.title = "Reset any password"
        save_draft(actor=self.actor(self.mara), runbook=runbook)
        self.run_command("export")
        assert [each.name for each in self.folder.iterdir()] == [path.name]

    def test_the_plan_changes_nothing_and_says_what_would(self) -> None:
        (self.folder / "a.md").write_text(FILE)
        said = self.run_command("import", "--actor", "mara@example.com", "--plan")
        assert "new       a.md: Reset a password" in said
        assert "Nothing was changed" in said
        assert not Runbook.objects.for_organization(self.northwind).exists()

    def test_the_plan_says_what_would_change_and_what_keeps_it_from_being_published(self) -> None:
        (self.folder / "a.md").write_text(FILE)
        self.run_command("import", "--actor", "mara@example.com")
        changed = FILE.replace("category: access", "category: email") + "4. Use @nope.tool\n"
        (self.folder / "a.md").write_text(changed)
        said = self.run_command("import", "--actor", "mara@example.com", "--plan")
        assert "Category: [-Accounts-]{+E-mail+} and [-access-]{+collaboration+}" in said
        assert "+ 4. Use @nope.tool" in said
        assert "before it can be published, line 15: There is no tool called @nope.tool." in said

    def test_a_refused_file_ends_with_an_error_and_its_line(self) -> None:
        (self.folder / "a.md").write_text(FILE)
        (self.folder / "b.md").write_text("no front matter")
        with pytest.raises(CommandError, match="1 files were refused"):
            self.run_command("import", "--actor", "mara@example.com")
        assert Runbook.objects.for_organization(self.northwind).count() == 1

    def test_a_file_that_is_no_text_is_refused_and_the_others_are_read(self) -> None:
        (self.folder / "a.md").write_bytes(b"---\nkey: \xff\xfe\n---\n")
        (self.folder / "b.md").write_text(FILE)
        said = io.StringIO()
        with pytest.raises(CommandError, match="1 files were refused"):
            call_command(
                "runbooks",
                "import",
                str(self.folder),
                "--organization=northwind",
                "--actor=mara@example.com",
                stdout=said,
            )
        assert "refused   a.md, line 1: This is no text in UTF-8." in said.getvalue()
        assert Runbook.objects.for_organization(self.northwind).get().key == "reset-a-password"
        assert "1 runbooks written" in self.run_command("export")

    def test_it_asks_for_a_member_with_the_right(self) -> None:
        (self.folder / "a.md").write_text(FILE)
        for options in ((), ("--actor", "ines@example.com"), ("--actor", "theo@example.com")):
            with pytest.raises(CommandError):
                self.run_command("import", *options)
        assert not Runbook.objects.for_organization(self.northwind).exists()


class Pages(RunbookCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.mara)

    def admin(self, rest: str) -> str:
        return self.path(f"admin/runbooks/runbook/{rest}")

    def upload(self, *files: tuple[str, bytes]) -> Any:
        return self.client.post(
            self.admin("read-in/"), {"files": [SimpleUploadedFile(name, content) for name, content in files]}
        )

    def test_files_are_shown_first_and_saved_when_agreed(self) -> None:
        page = self.upload(("a.md", FILE.encode()), ("b.md", b"nothing"))
        self.assertContains(page, "1 new, 1 refused")
        self.assertContains(page, "Line 1: A runbook")
        assert not Runbook.objects.for_organization(self.northwind).exists()
        form = {"stamp": page.context["plan"].stamp, "files": page.context["files"]}
        done = self.client.post(self.admin("read-in/"), form, follow=True)
        self.assertContains(done, "Nothing is published by this")
        assert Runbook.objects.for_organization(self.northwind).get().status == "draft"

    def test_a_file_that_is_no_text_does_not_keep_the_others_from_being_saved(self) -> None:
        page = self.upload(("a.md", b"\xff\xfe"), ("b.md", FILE.encode()))
        self.assertContains(page, "1 new, 1 refused")
        form = {"stamp": page.context["plan"].stamp, "files": page.context["files"]}
        self.assertContains(self.client.post(self.admin("read-in/"), form, follow=True), "Read in as drafts: 1 new")

    @pytest.mark.slow
    def test_the_form_that_confirms_has_few_fields_however_many_files_were_read(self) -> None:
        page = self.upload(*((f"{number}.md", b"nothing") for number in range(3)), ("a.md", FILE.encode()))
        assert page.content.decode().count('name="files" hidden') == 1
        self.assertContains(self.client.post(self.admin("read-in/"), {"stamp": "", "files": "["}), "came back damaged")

    def test_one_and_all_are_downloaded_and_the_archive_is_read_in_again(self) -> None:
        runbook = self.published()
        one = self.client.get(self.admin(f"{runbook.pk}/file/"))
        assert (one.content.decode(), one["Content-Type"]) == (as_file(runbook), "text/markdown; charset=utf-8")
        archive = self.client.get(self.admin("files/")).content
        assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == [file_name(runbook)]
        self.assertContains(self.upload(("all.zip", archive)), "1 unchanged")

    def test_what_is_no_text_and_no_archive_is_refused(self) -> None:
        self.assertContains(self.upload(("a.md", b"\xff\xfe")), "This is no text in UTF-8")
        self.assertContains(self.upload(("a.zip", b"PK nothing")), "is no archive that can be read")
        self.assertContains(self.upload(("a.exe", b"MZ")), "Choose files that end in .md")

    def test_ines_downloads_nothing_of_northwind(self) -> None:
        runbook = self.published()
        self.log_in(self.ines)
        assert self.client.get(self.admin(f"{runbook.pk}/file/")).status_code == 404
        assert self.client.get(self.admin("files/")).status_code == 404
        home = self.client.get(self.path("admin/runbooks/runbook/files/", organization=self.southgate))
        assert zipfile.ZipFile(io.BytesIO(home.content)).namelist() == []
