"""docs/tools.md says of every tool what its declaration says."""

from __future__ import annotations

import re

from approvals.fields import schema_fields
from approvals.management.commands.tools import PAGE
from approvals.person_words import person_words
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


def test_nothing_that_people_read_of_a_tool_is_said_to_a_model_or_in_names_of_our_own() -> None:
    for tool in registry:
        fields = schema_fields(tool.schema, {}, system=tool.vendor)
        for said in (
            tool_words(tool).description,
            *(field.help for field in fields),
            *(field.label for field in fields),
        ):
            assert not re.search(r"\b(?:you|your)\b|\w_\w", said), (tool.name, said)


def test_other_tools_are_called_by_their_labels_and_a_servers_words_stay_its_own() -> None:
    fields = schema_fields(registry.get("pax8.place_order").schema, {}, system="pax8")
    helps = {field.name: field.help for field in fields}

    assert helps["product_id"] == "Id of the product (“Search products”)."
    assert "asked when ordered" in helps["details"]
    assert person_words("Like ninjaone.find_device, www.find_device.example.", "itglue") == (
        "Like “Find a monitored device”, www.find_device.example."
    )
    assert person_words("See list_members and x_y.", "mcp_docs") == "See list_members and x_y."


def test_a_password_reset_says_what_it_needs_at_the_vendor_and_who_may_approve_it() -> None:
    words = tool_words(registry.get("microsoft365.reset_password"))

    assert "User.ReadWrite.All and User-PasswordProfile.ReadWrite.All" in words.permissions
    assert words.decides == "Managers and above may decide."
    assert words.default == "Always ask"
