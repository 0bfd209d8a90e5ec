"""The pages of MCP servers, and servers that are commands on this machine."""

from __future__ import annotations

import sys
from contextlib import closing
from html import unescape
from pathlib import Path
from time import monotonic
from typing import cast

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied

from integrations.connections import open_client
from integrations.errors import ToolUnavailable, WarrantRefused
from integrations.mcp.client import McpClient
from integrations.mcp.places import reading_of
from integrations.models import Connection, McpTool
from integrations.services import InvalidConnection, check_connection, save_connection
from integrations.warrants import Errand
from junto.env import env_commands
from tests.integrations.served import GET, GUIDES, LIST, NOTE, SYSTEM, ServedTestCase

COMMAND = (sys.executable, str(Path(__file__).parent / "mcp_command.py"))


class TestPages(ServedTestCase):
    def add(self, **fields: str) -> str:
        """An Admin connects a server: the page that comes."""
        key = self.sandbox.mcp["northwind-assets"]
        entered = {
            "short_name": "docs",
            "label": "Docs",
            "base_url": key.base_url,
            "auth": "bearer",
            "token": key.token,
        }
        browser = self.log_in(self.adam)
        return browser.post(self.path("connections/add/mcp/"), {**entered, **fields}, follow=True).content.decode()

    def test_a_server_is_connected_and_all_of_its_tools_wait(self) -> None:
        page = self.add()

        assert "5 tools are blocked and wait" in page
        assert self.sandbox.mcp["northwind-assets"].token not in page
        row = Connection.objects.for_organization(self.northwind).get(vendor="mcp_docs")
        assert row.state == Connection.State.OK

    def test_what_no_admin_can_allow_is_not_said_to_wait_for_one(self) -> None:
        self.add()
        rows = McpTool.objects.for_organization(self.northwind).filter(connection__vendor="mcp_docs")
        first, second, *_ = rows.order_by("name")
        first.problem = "Its arguments cannot be validated."
        first.save()
        second.definition = {"name": second.name, "annotations": {"title": "Read the <weather>"}}
        second.save()

        page = self.log_in(self.adam).get(self.path(f"connections/{first.connection_id}/tools/")).content.decode()

        assert "4 tools are blocked and wait" in page
        assert "1 tool can be used by nobody" in page
        assert "Read the weather" in page
        assert page.count(f">{first.name}<") == 1

    def test_the_catalogue_claims_nothing_of_a_servers_tool_that_is_not_so(self) -> None:
        browser = self.log_in(self.theo)
        for name, said, words in (
            ("search_guides", GUIDES, "No company's, an Admin said. Junto cannot look"),
            ("get_asset", GET, "another company is dropped whole"),
            ("list_assets", LIST, "Whether the server keeps to it is not checked"),
            ("set_asset_note", NOTE, "Whether the server keeps to it is not checked"),
        ):
            self.classify(name, said)
            page = unescape(browser.get(self.path(f"policies/{SYSTEM}.{name}/")).content.decode())
            assert words in page
            assert "Junto does not know" in page
            for untrue in (
                "Junto's own",
                "each is looked up and checked",
                "the same for all of them",
                "before and after",
            ):
                assert untrue not in page, name

    def test_a_tool_that_was_in_use_and_is_blocked_says_so_where_cards_and_policies_lead(self) -> None:
        path = self.path(f"policies/{SYSTEM}.search_guides/")
        browser = self.log_in(self.adam)
        assert browser.get(path).status_code == 404
        self.classify("search_guides", GUIDES)
        self.alter_tool("search_guides", description="Other words.")
        check_connection(self.server, insists=True)

        page = browser.get(path)
        assert "Nobody can use this tool now" in page.content.decode()
        assert f"{self.server.pk}/tools/{self.row('search_guides').pk}/" in page.content.decode()
        assert browser.post(path, {"mode": "auto"}).status_code == 404
        page = self.log_in(self.theo).get(path)
        assert "An Admin can look at it" in page.content.decode()
        assert f"{self.server.pk}/tools/" not in page.content.decode()
        foreign = self.path(f"policies/{SYSTEM}.search_guides/", organization=self.southgate)
        assert self.log_in(self.ines).get(foreign).status_code == 404

    def test_tools_and_policies_list_it_with_the_reason_until_it_is_classified_again(self) -> None:
        name = f"{SYSTEM}.search_guides"
        adams = self.log_in(self.adam)
        assert name not in adams.get(self.path("policies/")).content.decode()
        self.classify("search_guides", GUIDES)
        assert "Tool that was in use" not in adams.get(self.path("policies/")).content.decode()
        self.alter_tool("search_guides", description="Other words.")
        check_connection(self.server, insists=True)

        found = adams.get(self.path("policies/?q=search_guides")).content.decode()
        assert "1 blocked tool, none in use" in found
        page, lead = adams.get(self.path("policies/")).content.decode(), f"tools/{self.row('search_guides').pk}/"
        assert "tools, and 1 blocked" in page
        assert f"policies/{name}/" in page
        assert "The server changed it." in page
        assert lead in page
        assert name in adams.get(self.path("policies/?q=guides")).content.decode()
        for narrowed in ("q=mailbox", "vendor=junto", "risk=low", "policy=auto"):
            assert name not in adams.get(self.path(f"policies/?{narrowed}")).content.decode(), narrowed
        seen = self.log_in(self.theo).get(self.path("policies/")).content.decode()
        assert name in seen
        assert lead not in seen
        foreign = self.log_in(self.ines).get(self.path("policies/", organization=self.southgate))
        assert name not in foreign.content.decode()

        self.classify("search_guides", GUIDES)
        assert "Tool that was in use" not in self.log_in(self.adam).get(self.path("policies/")).content.decode()

    def test_a_short_name_is_given_once(self) -> None:
        assert "Take another" in self.add(short_name="assets")
        browser = self.log_in(self.adam)
        browser.post(self.path(f"connections/{self.server.pk}/remove/"))
        assert not McpTool.objects.for_organization(self.northwind).exists()
        assert "Take another" in self.add(short_name="assets")
        for name in ("Docs", "a", "junto.x", "9x", "x" * 13):
            assert "small letters" in self.add(short_name=name) or "at most 12" in self.add(short_name=name)

    def test_an_admin_says_what_a_tool_is_and_a_changed_one_shows_its_difference(self) -> None:
        row = self.row("search_guides")
        path = self.path(f"connections/{self.server.pk}/tools/{row.pk}/")
        said = {"reading": reading_of(row), "category": "read", "risk": "low", "policy": "auto", "reach": "free"}
        browser = self.log_in(self.adam)

        page = browser.post(path, said, follow=True).content.decode()
        assert "may be used as you said" in page
        self.alter_tool("search_guides", description="Other <script>alert(1)</script> words.")
        browser.post(self.path(f"connections/{self.server.pk}/tools/read/"))
        page = browser.get(path).content.decode()

        assert "What changed since it was classified" in page
        assert "<ins>" in page
        assert "<script>alert" not in page
        assert "changed the tool, or is another by now" in browser.post(path, said).content.decode()
        assert self.row("search_guides").state == McpTool.State.CHANGED

    def test_a_failure_of_our_own_is_told_on_the_page_and_loses_nothing(self) -> None:
        self.classify("search_guides", GUIDES)
        McpTool.unscoped.filter(name="list_assets").update(state=McpTool.State.ALLOWED, trusted_server=["spoilt"])
        before = list(McpTool.unscoped.order_by("name").values("name", "state", "pin", "definition"))
        self.alter_tool("search_guides", description="Other words.")

        page = self.log_in(self.adam).post(self.path(f"connections/{self.server.pk}/tools/read/"), follow=True)

        assert page.status_code == 200
        assert "Junto itself failed at this" in page.content.decode()
        assert list(McpTool.unscoped.order_by("name").values("name", "state", "pin", "definition")) == before
        self.server.refresh_from_db()
        assert self.server.state == Connection.State.FAILING

    def test_what_is_said_has_to_be_whole(self) -> None:
        row = self.row("set_asset_note")
        path = self.path(f"connections/{self.server.pk}/tools/{row.pk}/")
        browser = self.log_in(self.adam)
        whole = {
            "reading": reading_of(row),
            "category": "write",
            "risk": "high",
            "policy": "always",
            "reach": "argument",
        }
        for wrong, words in (
            ({}, "Choose the argument"),
            ({"company_argument": "nonsense"}, "not one of the available"),
            ({"reach": "company"}, "Choose the company whose"),
            ({"reach": "company", "company": str(self.quayside.pk)}, "not one of the available"),
            ({"reach": ""}, "required"),
            ({"policy": "auto", "company_argument": "company"}, "such a tool asks always"),
        ):
            assert words in browser.post(path, {**whole, **wrong}).content.decode(), wrong
        assert self.row("set_asset_note").state == McpTool.State.BLOCKED

    def test_only_those_who_manage_integrations_and_policies_say_what_a_tool_is(self) -> None:
        for member in (self.mara, self.theo):
            with pytest.raises(PermissionDenied):
                self.classify("search_guides", GUIDES, by=member)
        tools = self.path(f"connections/{self.server.pk}/tools/")
        assert self.log_in(self.theo).get(tools).status_code == 403
        own = self.path(f"connections/{self.server.pk}/tools/", organization=self.southgate)
        assert self.log_in(self.ines).get(own).status_code == 404


class TestCommands(ServedTestCase):
    def connect_command(self, *, by: str = "adam", key: str = "northwind/local") -> Connection:
        """An Admin enters a command's name."""
        return save_connection(
            actor=self.actor(getattr(self, by)),
            vendor="mcp_local",
            label="Local",
            base_url=f"stdio:{key}",
            credentials={"auth": "none"},
        )

    def test_a_command_runs_where_the_operator_listed_it_and_sees_none_of_our_secrets(self) -> None:
        self.settings.MCP_COMMANDS = {"northwind/local": COMMAND}
        self.server = self.connect_command()
        assert check_connection(self.server, insists=True).ok
        self.classify("names", GUIDES)

        from_command = self.call_local()

        assert "PATH" in from_command
        assert "JUNTO" not in from_command
        assert "DATABASE" not in from_command

    def test_a_command_that_writes_without_end_is_ended_and_told_so(self) -> None:
        endless = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
        self.settings.MCP_COMMANDS = {"northwind/local": (sys.executable, "-c", endless)}
        row = self.connect_command()
        begun = monotonic()

        check = check_connection(row, insists=True)

        assert not check.ok
        assert "Local wrote a line of more than 10 MiB, and was ended." in row.state_detail
        assert monotonic() - begun < 10

    def test_a_command_that_does_not_start_is_told_so(self) -> None:
        self.settings.MCP_COMMANDS = {"northwind/local": ("/nowhere/at-all",)}
        row = self.connect_command()
        assert not check_connection(row, insists=True).ok
        assert "The command of Local could not be started." in row.state_detail

    def test_nobody_connects_a_command_that_was_not_listed_for_them(self) -> None:
        self.settings.MCP_COMMANDS = {"southgate/local": COMMAND}
        for by, key in (("adam", "northwind/local"), ("adam", "southgate/local"), ("ines", "southgate/other")):
            with pytest.raises(InvalidConnection):
                self.connect_command(by=by, key=key)

    def test_a_command_that_is_listed_no_more_is_not_started(self) -> None:
        self.settings.MCP_COMMANDS = {"northwind/local": COMMAND}
        row = self.connect_command()
        self.settings.MCP_COMMANDS = {}
        assert not check_connection(row, insists=True).ok

    def test_another_command_behind_the_same_name_is_another_server(self) -> None:
        self.settings.MCP_COMMANDS = {"northwind/local": COMMAND}
        self.server = self.connect_command()
        check_connection(self.server, insists=True)
        self.classify("names", GUIDES)
        self.settings.MCP_COMMANDS = {"northwind/local": (*COMMAND, "--other")}

        with pytest.raises(ToolUnavailable):
            self.tool("names")
        assert check_connection(self.server, insists=True).ok

        assert self.row("names").state == McpTool.State.CHANGED
        row = self.row("names")
        page = self.log_in(self.adam).get(self.path(f"connections/{self.server.pk}/tools/{row.pk}/")).content.decode()
        assert "is another command by now" in page
        assert "--other" not in page
        self.classify("names", GUIDES)
        assert "PATH" in self.call_local()

    def test_no_call_passes_to_a_command_without_being_declared(self) -> None:
        self.settings.MCP_COMMANDS = {"northwind/local": COMMAND}
        self.server = self.connect_command()
        check_connection(self.server, insists=True)
        row = self.row("names")
        errand = Errand.reading(10)
        with closing(open_client(self.server, errand)) as client, pytest.raises(WarrantRefused):
            cast("McpClient", client).call("names", {}, pin=row.pin)

    def test_a_malformed_list_of_commands_stops_the_start(self) -> None:
        for text in ("docs=/bin/x", "northwind/docs=x", "northwind/docs=", 'northwind/docs=/bin/x "'):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("JUNTO_MCP_COMMANDS", text)
                with pytest.raises(ImproperlyConfigured):
                    env_commands("JUNTO_MCP_COMMANDS")

    def call_local(self) -> str:
        """What the command's tool says."""
        return str(self.call("names").content)
