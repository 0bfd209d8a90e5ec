"""docs/tools.md says of every tool what its declaration says."""

from __future__ import annotations

from approvals.management.commands.tools import PAGE
from approvals.tool_book import tool_book
from approvals.tool_words import permissions_of, tool_words
from integrations.tools import registry
from integrations.vendors import VENDORS


def test_the_page_of_tools_is_what_the_tools_declare() -> None:
    current = PAGE.read_text(encoding="utf-8") == tool_book(registry)

    assert current, "docs/tools.md is not current: run bin/junto tools --write"


def test_a_vendor_that_tells_its_permissions_tells_those_of_every_tool() -> None:
    told = {slug for slug, vendor in VENDORS.items() if vendor.permissions}

    assert {"connectwise", "ninjaone", "itglue", "sophos", "pax8", "microsoft365"} <= told
    assert [tool.name for tool in registry if tool.vendor in told and not permissions_of(tool)] == []


def test_a_password_reset_says_what_it_needs_at_the_vendor_and_who_may_approve_it() -> None:
    words = tool_words(registry.get("microsoft365.reset_password"))

    assert "User.ReadWrite.All and User-PasswordProfile.ReadWrite.All" in words.permissions
    assert words.decides == "Managers and above may decide."
    assert words.default == "Always ask"
