"""The request log: append-only JSON lines, one for every vendor request served, the only truth about effects."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.wire import Answer, Request, Sighting

_SECRET_NAME = re.compile(r"password|secret|token|private.?key|authorization|signature", re.IGNORECASE)
_LONGEST_BODY = 1_000_000  # bytes; a longer body is replaced by its length


class Journal:
    """Appends rows to the log. A row is one `write` on an O_APPEND descriptor: a kill -9 leaves whole lines."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()
        self._rows = 0
        tail = b"\n"
        if path.exists():
            with path.open("rb") as existing:
                for line in existing:
                    self._rows += 1
                    tail = line[-1:]
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if tail != b"\n":
            os.write(self._descriptor, b"\n")

    def append(
        self,
        *,
        time: str,
        vendor: str | None,
        request: Request,
        sighting: Sighting,
        answer: Answer | None,
        fault: str | None,
    ) -> None:
        """Write one row. `answer` is None where the connection was cut before any effect."""
        effect = answer.effect if answer else None
        with self._lock:
            self._rows += 1
            row: Record = {
                "n": self._rows,
                "time": time,
                "vendor": vendor,
                "owner": sighting.caller.owner if sighting.caller else None,
                "method": request.method,
                "path": request.path,
                "route": sighting.route,
                "query": _readable_query(request),
                "body": _readable_body(request),
                "status": answer.status if answer else None,
                "effect": effect is not None,
                "record": {"verb": effect.verb, "kind": effect.kind, "id": effect.id} if effect else None,
                "fault": fault,
                "headers_seen": [*sorted(request.headers)],
            }
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"
            os.write(self._descriptor, line)

    @property
    def length(self) -> int:
        """How many rows the log holds: the `since` that skips them all."""
        return self._rows

    def rows(self, *, since: int = 0) -> Iterator[Record]:
        """The rows whose number is greater than `since`, oldest first."""
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if number > since and line.strip():
                    yield json.loads(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _readable_query(request: Request) -> Record:
    return {name: "[redacted]" if _SECRET_NAME.search(name) else value for name, value in request.query}


def _readable_body(request: Request) -> Json:
    if not request.body:
        return None
    if len(request.body) > _LONGEST_BODY:
        return {"_bytes": len(request.body)}
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return _without_secrets(dict(parse_qsl(request.body.decode("utf-8", errors="replace"))))
    try:
        return _without_secrets(request.json())
    except ValueError:
        return request.body.decode("utf-8", errors="replace")


def _without_secrets(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    if not isinstance(value, dict):
        return value
    cleaned: Record = {}
    for name, part in value.items():
        cleaned[name] = "[redacted]" if _SECRET_NAME.search(name) else _without_secrets(part)
    path = cleaned.get("path")
    if "value" in cleaned and isinstance(path, str) and _SECRET_NAME.search(path):
        cleaned["value"] = "[redacted]"
    return cleaned
