"""A sync job for Junto, to take and change: sends what a PSA exported, and follows what changes in Junto.

It needs Python 3.11 and `requests`, and two variables of the environment:

    export JUNTO_URL=https://junto.example/api/v1/northwind
    export JUNTO_TOKEN=jt_...       # with the scopes companies:sync, signals:write and signals:read
    python sync_client.py send export.json
    python sync_client.py follow cursor.txt

`export.json` holds lists under "companies", "contacts", "devices" and "signals", in the fields of docs/api.md. `follow`
prints one line for each signal that changed since the last time; it keeps its place in the file.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

CONNECTION = "connectwise"
#: Contacts, devices and tickets may come before their company; in this order fewer of them have to wait.
KINDS = ("companies", "contacts", "devices", "signals")
ITEMS_AT_ONCE = 1000
SECONDS = 60
TRIES = 6


class Junto:
    """The REST API of one organization."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def send(self, kind: str, items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Deliver the items; yields one result for each."""
        for start in range(0, len(items), ITEMS_AT_ONCE):
            body = {"connection": CONNECTION, "items": items[start : start + ITEMS_AT_ONCE]}
            # one key for one delivery: a repeat after a lost answer is done once and answered alike
            answer = self._ask("POST", f"{kind}/sync", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
            yield from answer["results"]

    def changes(self, cursor: str) -> Iterator[tuple[dict[str, Any], str]]:
        """Signals that changed since the cursor, each with the cursor to go on from behind its page."""
        more = True
        while more:
            answer = self._ask("GET", "signals", params={"changed_since": cursor, "page_size": "200"})
            cursor, more = answer["cursor"], answer["next"] is not None
            for signal in answer["results"]:
                yield signal, cursor

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The answer; asks again where that can help, and raises RuntimeError where it cannot."""
        problem = ""
        for attempt in range(TRIES):
            try:
                answer = self.session.request(method, f"{self.url}/{path}", timeout=SECONDS, **options)
            except requests.RequestException as error:
                problem, wait = str(error), 2.0**attempt
            else:
                if answer.ok:
                    found: dict[str, Any] = answer.json()
                    return found
                problem, wait = f"{answer.status_code}: {_detail(answer)}", 2.0**attempt
                if answer.status_code == 429:
                    wait = float(answer.headers["Retry-After"])
                elif answer.status_code != 409 and answer.status_code < 500:
                    break  # the same request would be refused again
            time.sleep(wait)
        raise RuntimeError(f"{method} {path} was not answered: {problem}")


def send(junto: Junto, export: Path) -> int:
    """Send a whole export; prints what became of it. Returns how many items were refused."""
    told = json.loads(export.read_text(encoding="utf-8"))
    if not isinstance(told, dict) or not all(isinstance(told.get(kind, []), list) for kind in KINDS):
        raise ValueError(f"it must hold one object, with a list under each of {', '.join(KINDS)} that it has.")
    refused = 0
    for kind in KINDS:
        counts: dict[str, int] = {}
        for result in junto.send(kind, told.get(kind, [])):
            counts[result["outcome"]] = counts.get(result["outcome"], 0) + 1
            if result["outcome"] == "refused":
                refused += 1
                print(f"{kind} {result['external_id']}: {result['reason']}", file=sys.stderr)
        print(f"{kind}: {json.dumps(counts)}")
    return refused


def follow(junto: Junto, place: Path) -> None:
    """Print what changed since the last time, and keep the place."""
    cursor = place.read_text(encoding="utf-8").strip() if place.exists() else "2000-01-01T00:00:00Z"
    for signal, behind in junto.changes(cursor):
        print(f"{signal['external_id']} {signal['state']} {signal['subject']}")
        cursor = behind
    place.write_text(cursor, encoding="utf-8")


def _detail(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError):
        return answer.reason


def main(words: list[str]) -> int:
    """Run a command. Exit code 1 where items were refused or Junto could not be asked, 2 for a wrong command."""
    if len(words) != 2 or words[0] not in ("send", "follow"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        junto = Junto(os.environ["JUNTO_URL"], os.environ["JUNTO_TOKEN"])
        if words[0] == "send":
            return 1 if send(junto, Path(words[1])) else 0
        follow(junto, Path(words[1]))
    except KeyError as variable:
        print(f"Set the variable {variable.args[0]} first, see the head of this file.", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:
        print(f"{words[1]} cannot be read: {error}", file=sys.stderr)
        return 1
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
