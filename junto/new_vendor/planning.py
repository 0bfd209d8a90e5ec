"""What would be written: new files from the skeleton, and rows in the files that list all vendors."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from junto.datadir import Refusal
from junto.new_vendor.naming import Naming

SKELETON = Path(__file__).resolve().parent / "skeleton"
_SECONDS = 60
_LISTS = re.compile(r'(?P<name>protected_modules|modules) = \[(?P<names>"integrations\.connectwise"[^\]]*)\]')
_KEYED = re.compile(r"^KEYED: (?P<type>.*?) = \((?P<names>.*?)\)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Plan:
    """Texts by path below the root: of new files, and of files as they are after a row was added."""

    added: dict[str, str]
    changed: dict[str, str]


def drawn(naming: Naming, *, root: Path) -> Plan:
    """The plan for a vendor of this name.

    Raises:
        Refusal: a file of it is there already, or one that is to be added to is not as expected or not committed.
    """
    fresh = _skeleton(naming)
    there = [path for path in fresh if (root / path).exists()]
    folders = [f"integrations/{naming.slug}", f"integrations/sandbox/{naming.slug}"]
    there += [path for path in folders if (root / path).exists()]
    if there:
        raise Refusal(
            f"there already: {', '.join(sorted(there))}. Remove what an earlier attempt left, or take another name."
        )
    _refuse_uncommitted(root)
    added = {path: _tidied(path, text, root=root) for path, text in fresh.items()}
    changed = {}
    for path, edit in EDITS.items():
        before = (root / path).read_text(encoding="utf-8")
        after = _tidied(path, edit(before, naming), root=root)
        if after == before:
            raise Refusal(f"{path} is not as this command expects it: no place for {naming.label} was found in it.")
        changed[path] = after
    return Plan(added=added, changed=changed)


def _skeleton(naming: Naming) -> dict[str, str]:
    found = {}
    for file in sorted(SKELETON.rglob("*.txt")):
        path = file.relative_to(SKELETON).as_posix()
        if not path.startswith("edits/"):
            found[naming.fill(path.removesuffix(".txt"))] = naming.fill(file.read_text(encoding="utf-8"))
    return found


def _snippet(name: str, naming: Naming) -> str:
    return naming.fill((SKELETON / "edits" / f"{name}.txt").read_text(encoding="utf-8"))


def _vendor_row(text: str, naming: Naming) -> str:
    row = f'Vendor(slug="{naming.slug}", label="{naming.label}", package="integrations.{naming.slug}"),'
    head, end, tail = text.rpartition("\n    )\n}")
    return f"{head}\n        {row}{end}{tail}" if end else text


def _sandbox_row(text: str, naming: Naming) -> str:
    line = f"from integrations.sandbox.{naming.slug}.vendor import {naming.class_name}\n"
    head, first, tail = text.partition("from integrations.sandbox.store import")
    found = _KEYED.search(tail)
    if not first or found is None:
        return text
    names = [name for name in re.split(r"[\s,]+", found["names"]) if name]
    row = f"KEYED: {found['type']} = ({', '.join([*names, naming.class_name])},)"
    return f"{head}{line}{first}{tail[: found.start()]}{row}{tail[found.end() :]}"


def _keys(text: str, naming: Naming) -> str:
    """Keys of the two MSPs, invented, which open the sandbox and nothing else."""
    rows = [
        {
            "name": f"{owner}-{naming.slug}",
            "owner": owner,
            "label": label,
            "api_key": f"sandbox.{naming.slug}.{owner}",
        }
        for owner, label in (("northwind", "Northwind MSP"), ("southgate", "Southgate IT"))
    ]
    return json.dumps({**json.loads(text), naming.slug: rows}, indent=2, ensure_ascii=False) + "\n"


def _contracts(text: str, naming: Naming) -> str:
    return _LISTS.sub(rf'\g<name> = [\g<names>, "integrations.{naming.slug}"]', text)


def _conformance(text: str, naming: Naming) -> str:
    head, last, tail = text.rpartition("def test_no_vendor_is_left_out(")
    return f"{head}{_snippet('conformance.py', naming)}{last}{tail}" if last else text


def _admins(text: str, naming: Naming) -> str:
    head, following, tail = text.partition("## Watch, rotate, remove")
    return f"{head}{_snippet('admins.md', naming)}{following}{tail}" if following else text


EDITS: dict[str, Callable[[str, Naming], str]] = {
    "integrations/vendors.py": _vendor_row,
    "integrations/sandbox/vendors.py": _sandbox_row,
    "integrations/sandbox/world/credentials.json": _keys,
    "pyproject.toml": _contracts,
    "tests/integrations/test_conformance.py": _conformance,
    "docs/admins.md": _admins,
}
"""The files that list all vendors, and how one more gets into each."""


def _tidied(path: str, text: str, *, root: Path) -> str:
    """A Python file as ruff leaves it: names decide how imports are sorted and lines are broken."""
    if not path.endswith(".py"):
        return text
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        raise Refusal("ruff is not installed, which tidies what is written: bin/test installs it.")
    for words in (("check", "--quiet", "--select", "I", "--fix-only", "--exit-zero"), ("format", "--quiet")):
        command = [ruff, *words, "--stdin-filename", path, "-"]
        done = subprocess.run(
            command, cwd=root, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode or not done.stdout:
            raise Refusal(f"ruff could not go over {path} ({_last(done.stderr)}).")
        text = done.stdout
    return text


def _refuse_uncommitted(root: Path) -> None:
    """What is added to has to be committed, so that git can take the skeleton back."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return
    command = [git, "status", "--porcelain", "--", *EDITS]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=_SECONDS, check=False)
    dirty = [line[3:] for line in done.stdout.splitlines()]
    if dirty:
        raise Refusal(
            f"not committed: {', '.join(dirty)}. Commit first, so that git can take back what is added there."
        )


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
