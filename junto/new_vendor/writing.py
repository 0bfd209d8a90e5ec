"""Writing a plan: everything, or nothing at all."""

import os
from contextlib import suppress
from pathlib import Path

from junto.datadir import Refusal
from junto.new_vendor.planning import Plan


def write(plan: Plan, *, root: Path) -> None:
    """Put the plan's files in place. Raises Refusal where one cannot be written; then all is as it was before."""
    former = {path: (root / path).read_text(encoding="utf-8") for path in plan.changed}
    made: list[Path] = []
    try:
        for path, text in plan.added.items():
            _make_folders((root / path).parent, made)
            made.append(root / path)
            (root / path).write_text(text, encoding="utf-8")
        for path, text in plan.changed.items():
            _replace(root / path, text)
    except OSError as error:
        for path, text in former.items():
            with suppress(OSError):
                if (root / path).read_text(encoding="utf-8") != text:
                    _replace(root / path, text)
        for place in reversed(made):
            with suppress(OSError):
                place.rmdir() if place.is_dir() else place.unlink(missing_ok=True)
        raise Refusal(f"{error.filename or root} cannot be written ({error.strerror}); nothing was changed.") from error


def _make_folders(folder: Path, made: list[Path]) -> None:
    """The folder and those above it, noted as they are made."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir()
        made.append(place)


def _replace(path: Path, text: str) -> None:
    """Another text in one step: whoever reads meanwhile sees the former or the new one."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
