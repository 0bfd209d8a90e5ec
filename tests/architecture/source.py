"""Our own modules, parsed: what the architecture tests ask questions of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("junto", "agent", "runbooks", "signals", "approvals", "integrations")


@dataclass(frozen=True)
class Module:
    """One source file of the product."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        """The file as it stands."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file parsed."""
        return ast.parse(self.text, filename=str(self.path))

    def imports(self) -> Iterator[tuple[str, ast.stmt]]:
        """Dotted names imported anywhere in the file, with the statement."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module, node
                yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)

    def calls(self, name: str) -> Iterator[ast.Call]:
        """Calls of a function or method of that name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                called = node.func
                if (isinstance(called, ast.Name) and called.id == name) or (
                    isinstance(called, ast.Attribute) and called.attr == name
                ):
                    yield node

    def attributes(self, name: str) -> Iterator[ast.Attribute]:
        """Places where an attribute of that name is read."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Attribute) and node.attr == name)

    def is_in(self, *packages: str) -> bool:
        """Whether this is one of the modules or packages, or inside one."""
        return any(self.name == package or self.name.startswith(f"{package}.") for package in packages)


@lru_cache(maxsize=1)
def product_modules() -> tuple[Module, ...]:
    """Every module of the product, migrations left out."""
    return tuple(
        Module(name=".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path=path)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    )
