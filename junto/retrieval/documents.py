"""What is ranked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """A text with a title, which says most about it."""

    title: str
    text: str
