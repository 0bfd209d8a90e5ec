"""What a new vendor is called: the name of its folder, of its classes, and what people say."""

import keyword
import re
from dataclasses import dataclass
from pathlib import Path

from junto.datadir import Refusal

LONGEST_NAME, LONGEST_LABEL = 20, 24
_NAME = re.compile(r"[a-z][a-z0-9]+")
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9 .&+-]*")
_WORDS = re.compile(r"[A-Za-z0-9]+")
#: First halves of tools' names, and words in `Connection.vendor`, that mean something else.
RESERVED = frozenset({"junto", "csv", "mcp", "test", "tests", "own"})


@dataclass(frozen=True)
class Naming:
    """How one vendor is called, wherever it is called."""

    slug: str
    label: str

    @property
    def class_name(self) -> str:
        """The label as Python's classes are written."""
        return "".join(word[0].upper() + word[1:] for word in _WORDS.findall(self.label))

    def fill(self, text: str) -> str:
        """A template with the names in it."""
        for mark, name in (("__slug__", self.slug), ("__Class__", self.class_name), ("__Label__", self.label)):
            text = text.replace(mark, name)
        return text


def named(slug: str, label: str, *, root: Path) -> Naming:
    """The names, if a vendor may be called so. Raises Refusal."""
    if not _NAME.fullmatch(slug) or len(slug) > LONGEST_NAME or keyword.iskeyword(slug):
        raise Refusal(
            f"{slug!r} is no name for a vendor: 2 to {LONGEST_NAME} small letters and digits, a letter first."
        )
    label = label.strip() or slug.capitalize()
    if not _LABEL.fullmatch(label) or len(label) > LONGEST_LABEL:
        raise Refusal(f"{label!r} is no label: at most {LONGEST_LABEL} letters, digits and blanks, a letter first.")
    if slug in RESERVED:
        raise Refusal(f"{slug} means something else in Junto: take another name.")
    folder = root / "integrations"
    if not (folder / "vendors.py").is_file() or not (root / "tests").is_dir():
        raise Refusal(f"{root} is no checkout of Junto's sources: a vendor is written where its tests are.")
    if f'slug="{slug}"' in (folder / "vendors.py").read_text(encoding="utf-8"):
        raise Refusal(f"there is a vendor called {slug} (integrations/vendors.py): take another name.")
    if (folder / f"{slug}.py").exists() or (folder / "sandbox" / f"{slug}.py").exists():
        raise Refusal(f"integrations has a module called {slug}: take another name.")
    return Naming(slug, label)
