"""What is ranked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """A text with a title, which says most about it. `keywords` are words of its writer's that should find it too."""

    title: str
    text: str
    keywords: str = ""
