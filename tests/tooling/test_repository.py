"""The repository keeps its promised shape, and names nothing of the machine it was written on."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from junto.env import ROOT

PACKAGES = ("junto", "runbooks", "signals", "agent", "integrations", "approvals")
TOP_LEVEL = {
    *PACKAGES, "manage.py", "pyproject.toml", "templates", "static", "tests",
    "README.md", "LICENSE", "CONTRIBUTING.md", "docs", "bench", "bin", ".ci",
    "requirements.lock", "requirements-dev.lock", "requirements-semantic.lock",
    "Dockerfile", "compose.yaml", "package.json", "package-lock.json", ".gitignore", ".dockerignore", ".npmrc",
}  # fmt: skip
USED_UNSEEN = {"psycopg": "Django's PostgreSQL engine imports it"}
FIXED_BY_DESIGN = {
    "django", "djangorestframework", "channels", "channels-redis", "django-guardian", "django-simple-history", "openai",
    "requests", "pytest-django", "factory-boy",
}  # fmt: skip


def test_the_top_level_holds_what_was_promised():
    assert {path.split("/")[0] for path in tracked()} <= TOP_LEVEL


def test_no_file_names_a_package_address_or_a_path_of_a_machine():
    telling = re.compile(rb'"resolved": *"http|(index-url|find-links)[ =]+\S*[:/]|(?<![\w.])/(work|root|home)/\w+/')
    found = [path for path in tracked() if telling.search((ROOT / path).read_bytes())]

    assert [path for path in found if not path.startswith("static/vendor/")] == []


def test_every_declared_dependency_is_used():
    declared = names(project()["dependencies"])
    modules = imported_modules()

    unused = {name for name in declared - set(USED_UNSEEN) if not modules & import_names(name)}
    assert unused == set()


def test_every_imported_package_is_declared():
    declared = names(project()["dependencies"]) | names(semantic())
    foreign = imported_modules() & set(distributions()) - set(PACKAGES)

    undeclared = {module for module in foreign if not declared & distributions()[module]}
    assert undeclared - {"tests"} == set()


def test_what_the_design_fixes_is_declared():
    assert names(project()["dependencies"]) | names(development()) >= FIXED_BY_DESIGN


def test_every_declared_name_stands_in_its_lock():
    assert names(project()["dependencies"]) <= locked("requirements.lock")
    assert names(development()) <= locked("requirements-dev.lock")
    assert names(semantic()) == locked("requirements-semantic.lock")


def test_both_locks_pin_the_same_versions():
    runtime, everything = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )

    assert runtime <= everything


def tracked() -> list[str]:
    """Files that git would hand to a clone."""
    command = ["git", "ls-files", "-z"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    return [path for path in output.split("\0") if path and (ROOT / path).is_file()]


def project() -> dict[str, list[str]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def development() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["dev"]


def semantic() -> list[str]:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return extras["semantic"]


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[\[=~<> ]", each)[0]) for each in requirements}


def locked(name: str) -> set[str]:
    return {
        normal(each) for each in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    }


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def distributions() -> Mapping[str, set[str]]:
    """Each importable name with what was installed to bring it."""
    return {module: set(map(normal, owners)) for module, owners in packages_distributions().items()}


def import_names(distribution: str) -> set[str]:
    return {module for module, owners in distributions().items() if distribution in owners}


@cache
def imported_modules() -> set[str]:
    """Top-level modules that our code imports, or that the settings name in a string."""
    found = set(re.findall(r'"([A-Za-z_0-9]+)[."]', (ROOT / "junto" / "settings.py").read_text(encoding="utf-8")))
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        found |= imports(path)
    return found


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found
