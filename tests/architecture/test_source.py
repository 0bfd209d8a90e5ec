"""What the source itself must look like, asked of every module there is."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator

from integrations.vendors import MCP, VENDORS
from junto.tenants.permissions import Role
from tests.architecture.source import ROOT, Module, product_modules

#: Modules that speak to a network.
NETWORK = {
    "requests",
    "httpx",
    "httpx2",
    "httpcore2",
    "httpcore",
    "aiohttp",
    "urllib3",
    "urllib.request",
    "http.client",
    "socket",
    "smtplib",
    "ftplib",
    "telnetlib",
    "openai",
    "mcp",
    "websockets",
}
#: Who may import them (HOUSE 2), and for what outside `integrations`.
NETWORK_ALLOWED = {
    "integrations.guard": NETWORK,
    "integrations.http": NETWORK,
    "integrations.llm": NETWORK,
    "integrations.mcp": NETWORK,
    "integrations.sandbox": NETWORK,
    "junto.desk.mcp.protocol": {"mcp"},  # the server: it answers and sends nothing
    "junto.sidecar": {"socket", "http.client"},  # waits for the processes of `up` on loopback
    "junto.up": {"socket"},  # takes the port it serves on
}
#: Imports that may stand inside a function, and why.
LATE_IMPORTS: dict[str, str] = {
    "junto.up": "settings are read while importing, and `up` completes the environment first",
}
MODULE_LINES = 400
#: Where an organization's rows may be asked for without naming it, and why.
UNSCOPED = {
    "junto.tenants.scoping": "defines it",
    "junto.tenants.access": "a door: finds the membership that says which organization it is",
    "junto.team.authentication": "a door: finds the token that says which organization it is",
    "junto.team.invitations": "a door: the link says which organization it is; creates rows",
    "junto.team.organizations": "makes organizations, and rows with their organization named",
    "junto.team.tokens": "creates rows with their organization named",
    "junto.audit.services": "locks the head of the named organization",
    "junto.inbox.services": "creates rows with their organization named",
    "junto.desk.views": "a user's own organizations, to choose from",
    "signals.querysets": "a condition on the notes of signals, within the note's own organization",
    "signals.intake.unfolding": "which signals hang on given ones; rows are then read within the organization",
    "signals.processing.doubts": "a condition on signals that are asked for within an organization, or by the clock",
    "integrations.directory": "creates rows with the connection's organization",
    "integrations.connections": "changes its own row where nobody else did meanwhile",
    "integrations.webhook_intake": "a door: finds the address that says which organization it is",
    "integrations.webhooks": "forgets what is old, in all organizations",
    "integrations.management.commands.reseal_credentials": "the operator's command works for all organizations",
    "agent.models.sessions": "moves its own row by its id",
}
#: Whole functions of the clock and the bells work for all organizations: they go from a row to its organization.
UNSCOPED_WORKERS = (
    "agent.tasks",
    "agent.attention",
    "agent.backlog",
    "agent.context",
    "agent.loop",
    "agent.outages",
    "agent.replay_tasks",
    "agent.replaying",
    "agent.starting",
    "approvals.tasks",
    "approvals.sweeps",
    "approvals.execution",
    "approvals.watching",
    "signals.tasks",
    "signals.back_tests.running",
    "signals.sync.polling",
    "signals.processing.rerun",
    "integrations.tasks",
    "runbooks.tasks",
    "runbooks.firing",
)


def offences(found: Iterator[tuple[Module, ast.AST, str]]) -> list[str]:
    return [f"{module.name}:{getattr(node, 'lineno', 0)} {what}" for module, node, what in found]


def test_only_the_listed_modules_import_what_speaks_to_a_network() -> None:
    def found() -> Iterator[tuple[Module, ast.AST, str]]:
        for module in product_modules():
            allowed = set().union(*(names for place, names in NETWORK_ALLOWED.items() if module.is_in(place)))
            for name, node in module.imports():
                for network in NETWORK - allowed:
                    if name == network or name.startswith(f"{network}."):
                        yield module, node, f"imports {name}"

    assert not offences(found())


def test_only_the_engine_sends_to_channel_groups() -> None:
    calls = [
        (module.name, call.lineno)
        for module in product_modules()
        for call in module.calls("group_send")
        if module.name != "junto.engine"
    ]
    assert not calls


def test_no_import_hides_inside_a_function() -> None:
    def found() -> Iterator[tuple[Module, ast.AST, str]]:
        for module in product_modules():
            if module.name in LATE_IMPORTS:
                continue
            for function in ast.walk(module.tree):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    for node in ast.walk(function):
                        if isinstance(node, ast.Import | ast.ImportFrom):
                            yield module, node, f"in {function.name}"

    assert not offences(found())


def test_every_module_stays_under_the_limit() -> None:
    long = {module.name: len(module.text.splitlines()) for module in product_modules()}
    assert not {name: lines for name, lines in long.items() if lines >= MODULE_LINES}


def test_role_names_stand_in_permissions_only() -> None:
    names = {role.name for role in Role}

    def found() -> Iterator[tuple[Module, ast.AST, str]]:
        for module in product_modules():
            # people of the demo have roles as they have names
            if module.is_in("junto.tenants.permissions", "junto.desk.demo", "integrations.sandbox"):
                continue
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Role":
                    if node.attr in names:
                        yield module, node, f"Role.{node.attr}"
                elif isinstance(node, ast.Compare):
                    for side in [node.left, *node.comparators]:
                        if isinstance(side, ast.Constant) and side.value in {role.value for role in Role}:
                            yield module, node, f"compares with {side.value!r}"

    assert not offences(found())


def test_unscoped_is_used_only_where_listed() -> None:
    def found() -> Iterator[tuple[Module, ast.AST, str]]:
        for module in product_modules():
            if module.name in UNSCOPED or module.is_in(*UNSCOPED_WORKERS):
                continue
            for name in ("unscoped", "_base_manager", "_default_manager"):
                for node in module.attributes(name):
                    if not _names_no_strangers_rows(module, node):
                        yield module, node, name

    assert not offences(found())


def _names_no_strangers_rows(module: Module, manager: ast.Attribute) -> bool:
    """Whether it makes a row (`create` names its organization) or asks for none at all."""
    parents = {id(child): node for node in ast.walk(module.tree) for child in ast.iter_child_nodes(node)}
    method = parents.get(id(manager))
    return isinstance(method, ast.Attribute) and method.attr in {"create", "bulk_create", "none"}


def test_every_listed_module_still_needs_its_place_on_the_list() -> None:
    needed = {module.name for module in product_modules() if "unscoped" in module.text}
    assert set(UNSCOPED) <= needed


def test_apps_do_not_talk_through_django_signals() -> None:
    def found() -> Iterator[tuple[Module, ast.AST, str]]:
        for module in product_modules():
            for name, node in module.imports():
                if name.startswith(("django.dispatch", "django.db.models.signals", "django.core.signals")):
                    yield module, node, f"imports {name}"

    assert not offences(found())


def test_nothing_of_ours_marks_text_as_safe_html_but_the_listed() -> None:
    allowed = {"junto.markdown", "junto.desk.templatetags.look", "agent.rendering", "runbooks.rendering"}

    def found() -> Iterator[tuple[Module, ast.AST, str]]:
        for module in product_modules():
            if module.name in allowed or module.is_in("integrations.sandbox"):
                continue
            for call in module.calls("mark_safe"):
                yield module, call, "mark_safe"
            for name, node in module.imports():
                if name.endswith(".mark_safe"):
                    yield module, node, name

    assert not offences(found())


def test_the_import_contracts_name_every_vendor_there_is() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in config["contracts"]}
    packages = {vendor.package for vendor in (*VENDORS.values(), MCP)}
    assert set(contracts["Vendors stay behind integrations"]["protected_modules"]) == packages
    if len(packages) > 1:
        assert set(contracts["Vendors do not know each other"]["modules"]) == packages


def test_there_is_no_ignored_import_in_the_contracts() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert "ignore_imports" not in text


def test_no_module_is_called_signals() -> None:
    assert not [module.name for module in product_modules() if module.path.name == "signals.py"]
