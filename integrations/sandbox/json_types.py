"""Names for the JSON that the vendors' records are made of."""

from __future__ import annotations

from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Json: TypeAlias = Scalar | list["Json"] | dict[str, "Json"]
Record: TypeAlias = dict[str, Json]
