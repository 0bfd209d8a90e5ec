"""`bin/junto new_vendor`: what it writes in a checkout, and what it refuses, having written nothing."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from junto.datadir import Refusal
from junto.env import ROOT
from junto.new_vendor import run
from junto.new_vendor.planning import EDITS
from tests.processes import junto

ACME = ["acme", "--label", "Acme PSA"]
KEPT_BY_TOOLS = {".ruff_cache", ".mypy_cache", ".pytest_cache", "__pycache__"}


def checkout(place: Path) -> Path:
    """As much of our sources as the command looks at."""
    for path in EDITS:
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, place / path)
    (place / "integrations" / "errors.py").touch()
    return place


def tree(place: Path) -> dict[str, bytes]:
    """Every file with what it holds, but for what tools that ran there keep for themselves."""
    files = {path.relative_to(place): path for path in place.rglob("*") if path.is_file()}
    return {str(name): path.read_bytes() for name, path in files.items() if not KEPT_BY_TOOLS & set(name.parts)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a vendor called Acme in it."""
    place = checkout(tmp_path_factory.mktemp("checkout"))
    assert run(ACME, root=place) == 0
    return place


def test_the_skeleton_is_formatted_and_has_nothing_that_lint_finds(written: Path) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run([ruff, *words, "."], cwd=written, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_every_list_of_vendors_names_it(written: Path) -> None:
    contracts = tomllib.loads((written / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = [one for one in contracts if "integrations.acme" in one.get("protected_modules", one.get("modules", []))]
    assert len(named) == 2
    row = 'Vendor(slug="acme", label="Acme PSA", package="integrations.acme")'
    assert row in (written / "integrations" / "vendors.py").read_text()
    sandbox = (written / "integrations" / "sandbox" / "vendors.py").read_text()
    assert "AcmePSA" in sandbox.partition("KEYED: ")[2]
    keys = json.loads((written / "integrations" / "sandbox" / "world" / "credentials.json").read_text())["acme"]
    assert [one["name"] for one in keys] == ["northwind-acme", "southgate-acme"]
    conformance = (written / "tests" / "integrations" / "test_conformance.py").read_text()
    assert "class TestAcmePSAClient(ClientConformance)" in conformance
    assert "class TestAcmePSATools(ToolConformance)" in conformance
    border = (written / "tests" / "integrations" / "test_acme_border.py").read_text()
    assert "class AcmePSABorderTests(BorderConformance, AcmePSATestCase)" in border
    assert "class AcmePSAOutcomeTests(OutcomeConformance, AcmePSATestCase)" in border
    assert "## Connect Acme PSA" in (written / "docs" / "admins.md").read_text()


def test_what_the_author_has_to_replace_is_marked_in_every_folder(written: Path) -> None:
    marked = {path for path, text in tree(written).items() if b"FILL" + b" IN:" in text}
    assert {Path(path).parts[0] for path in marked} == {"docs", "integrations", "tests"}
    assert len(marked) >= 10


def test_a_dry_run_tells_everything_and_writes_nothing(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = checkout(tmp_path)
    before = tree(place)
    run([*ACME, "--dry-run"], root=place)
    told = capsys.readouterr().out

    assert tree(place) == before
    for path, text in tree(written).items():
        assert path in told or before.get(path) == text, path


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["Acme"], "small letters"),
        (["a"], "small letters"),
        (["9lives"], "small letters"),
        (["acme-psa"], "small letters"),
        (["../acme"], "small letters"),
        (["import"], "small letters"),
        (["a" * 40], "small letters"),
        (["acme", "--label", 'Ac"me'], "no label"),
        (["acme", "--label", "A" * 40], "no label"),
        (["junto"], "something else"),
        (["csv"], "something else"),
        (["itglue"], "there is a vendor called itglue"),
        (["errors"], "a module called errors"),
        (["acme", "--lable", "x"], "--lable"),
        ([], "name"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_and_nothing_is_written(
    tmp_path: Path, words: list[str], part: str
) -> None:
    place = checkout(tmp_path)
    before = tree(place)
    with pytest.raises(Refusal, match=part):
        run(words, root=place)
    assert tree(place) == before


def test_a_folder_that_an_earlier_attempt_left_is_refused(tmp_path: Path) -> None:
    place = checkout(tmp_path)
    (place / "integrations" / "sandbox" / "acme").mkdir()
    before = tree(place)
    with pytest.raises(Refusal, match="there already: integrations/sandbox/acme"):
        run(ACME, root=place)
    assert tree(place) == before


def test_a_place_without_tests_is_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no checkout"):
        run(ACME, root=tmp_path)


def test_what_is_added_to_has_to_be_committed_before(tmp_path: Path) -> None:
    place = checkout(tmp_path)
    identity = ["-c", "user.name=Mara", "-c", "user.email=mara@northwind.example"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=place, check=True)
    with (place / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    before = tree(place)
    with pytest.raises(Refusal, match=r"not committed: pyproject\.toml"):
        run(ACME, root=place)
    assert tree(place) == before


def test_a_list_that_is_not_as_expected_is_named(tmp_path: Path) -> None:
    place = checkout(tmp_path)
    (place / "docs" / "admins.md").write_text("# Admins\n", encoding="utf-8")
    before = tree(place)
    with pytest.raises(Refusal, match=r"docs/admins\.md is not as this command expects it"):
        run(ACME, root=place)
    assert tree(place) == before


def test_what_cannot_be_written_leaves_nothing_half_done(tmp_path: Path) -> None:
    place = checkout(tmp_path)
    (place / "tests" / "contract").mkdir()
    (place / "tests" / "contract" / "own").write_text("a file where a folder should be", encoding="utf-8")
    before = tree(place)
    with pytest.raises(Refusal, match="nothing was changed"):
        run(ACME, root=place)
    assert tree(place) == before
    assert not (place / "integrations" / "acme").exists()


def test_a_refusal_is_one_sentence_at_the_terminal(tmp_path: Path) -> None:
    finished = junto("new_vendor", "Not A Name", data_dir=tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.startswith("junto: ")
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.slow
def test_the_skeleton_works_as_it_stands_but_for_the_one_test_that_says_what_is_left(tmp_path: Path) -> None:
    """Its own tests, and those that every vendor inherits, in a copy of the whole checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for path in filter(None, listed.split("\0")):
        if (ROOT / path).is_file() and not path.startswith("static/"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
    run(ACME, root=tmp_path)
    own = [
        f"tests/{one}.py" for one in ("integrations/test_acme", "integrations/test_acme_border", "contract/test_acme")
    ]
    files = [*own, "tests/integrations/test_conformance.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", "acme or Acme or left"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    assert len(failed) == 1, done.stdout[-3000:]
    assert "test_nothing_is_left_to_fill_in" in failed[0]
    assert " passed" in done.stdout
