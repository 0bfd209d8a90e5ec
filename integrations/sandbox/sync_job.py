"""A PSA's sync job, as an MSP would run one: reads tickets from ConnectWise and hands them to Junto's REST API.

It knows both only by their HTTP. `python -m integrations.sandbox.sync_job --psa URL --junto URL`; the PSA's keys and
Junto's token come as JSON on standard input, as command lines are seen by every process of a machine.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from integrations.sandbox.json_types import Json

PAGE = 100
SECONDS = 30
#: No proxy of the environment stands between two programs on one machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(RuntimeError):
    """One of the two sides said no."""


def main() -> int:
    """Deliver; prints what Junto counted. Exit code 1 and one sentence where it cannot."""
    options = _options()
    keys = json.load(sys.stdin)
    try:
        items: list[Json] = [_item(ticket, options.psa, keys) for ticket in _oldest(options.psa, keys, options.limit)]
        answer = _ask(
            f"{options.junto}/signals/sync",
            {"Authorization": f"Bearer {keys['token']}"},
            {"connection": "connectwise", "items": items},
        )
    except (Refused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    assert isinstance(answer, dict)
    sys.stdout.write(json.dumps(answer["counts"]) + "\n")
    return 0


def _oldest(psa: str, keys: dict[str, str], limit: int) -> list[dict[str, Json]]:
    """The tickets that were changed longest ago."""
    query = urllib.parse.urlencode({"orderBy": "lastUpdated asc", "pageSize": min(limit, PAGE)})
    return _records(_ask(f"{psa}/service/tickets?{query}", _login(keys)))


def _item(ticket: dict[str, Json], psa: str, keys: dict[str, str]) -> dict[str, Json]:
    """A ticket in the shape of Junto's API."""
    number = ticket["id"]
    notes = _records(_ask(f"{psa}/service/tickets/{number}/notes?pageSize={PAGE}", _login(keys)))
    devices = _records(_ask(f"{psa}/service/tickets/{number}/configurations?pageSize={PAGE}", _login(keys)))
    opening = next((note for note in notes if note.get("detailDescriptionFlag")), None)
    return {
        "external_id": str(number),
        "subject": ticket["summary"],
        "description": opening["text"] if opening else "",
        "company": _part(ticket, "company", "id"),
        "company_name": _part(ticket, "company", "name"),
        "contact": _part(ticket, "contact", "id"),
        "devices": [str(device["id"]) for device in devices],
        "status": _part(ticket, "status", "name"),
        "closed": bool(ticket.get("closedFlag")),
        "priority": _part(ticket, "priority", "name"),
        "board": {"id": _part(ticket, "board", "id"), "name": _part(ticket, "board", "name")},
        "type": _part(ticket, "type", "name"),
        "subtype": _part(ticket, "subType", "name"),
        "item": _part(ticket, "item", "name"),
        "assignee": _part(ticket, "owner", "name"),
        "created_at": _part(ticket, "_info", "dateEntered") or _part(ticket, "_info", "lastUpdated"),
        "updated_at": _part(ticket, "_info", "lastUpdated"),
        "notes": [_note(note) for note in notes if note is not opening and note.get("text")],
        "raw": ticket,
    }


def _note(note: dict[str, Json]) -> Json:
    return {
        "external_id": str(note["id"]),
        "author": _part(note, "member", "name") or _part(note, "contact", "name"),
        "text": note["text"],
        "internal": bool(note.get("internalAnalysisFlag")),
        "written_at": note.get("dateCreated") or _part(note, "_info", "lastUpdated"),
        "by_client": _by_client(note),
    }


def _by_client(note: dict[str, Json]) -> bool | None:
    """A note of neither a member nor a contact came by mail from anybody."""
    if _part(note, "member", "id"):
        return False
    return True if _part(note, "contact", "id") else None


def _part(record: dict[str, Json], name: str, inner: str) -> str:
    value = record.get(name)
    found = value.get(inner) if isinstance(value, dict) else None
    return "" if found is None else str(found)


def _records(answer: Json) -> list[dict[str, Json]]:
    if not isinstance(answer, list):
        raise Refused("The PSA answered with something that is no list.")
    return [record for record in answer if isinstance(record, dict)]


def _login(keys: dict[str, str]) -> dict[str, str]:
    pair = f"{keys['company_id']}+{keys['public_key']}:{keys['private_key']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}", "clientId": keys["client_id"]}


def _ask(url: str, headers: dict[str, str], body: Json = None) -> Json:
    content = None if body is None else json.dumps(body).encode()
    if not url.startswith(("http://", "https://")):
        raise Refused(f"{url} is no web address.")
    request = urllib.request.Request(url, content, {**headers, "Content-Type": "application/json"})  # noqa: S310
    try:
        with _opener.open(request, timeout=SECONDS) as response:
            answer: Json = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise Refused(f"{url} answered {error.code}: {error.read(500).decode(errors='replace')}") from error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.sync_job", description=__doc__)
    parser.add_argument("--psa", required=True, help="base of ConnectWise's API")
    parser.add_argument("--junto", required=True, help="base of Junto's API: http://host:port/api/v1/<organization>")
    parser.add_argument("--limit", type=int, default=40, help="how many tickets, those changed longest ago first")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
