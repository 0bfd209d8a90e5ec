"""A device of the demo world falls ill and recovers: an alert in NinjaOne that is raised, or that clears by itself.

`python -m integrations.sandbox.monitoring --sandbox URL --owner MSP raise --device NAME` prints the alert's uid;
`... clear --uid UID` takes it out of the list. It speaks to the control plane of a running sandbox.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request

from integrations.sandbox.json_types import Json

SECONDS = 30
SOURCE, SUBJECT = "CONDITION_AGENT_DISK_FREE_SPACE", "Disk space critical"
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(RuntimeError):
    """The sandbox said no, or has nothing of that name."""


def main() -> int:
    """Do one of the two. Exit code 1 and one sentence where it cannot be done."""
    options = _options()
    place = f"{options.sandbox.rstrip('/')}/_sandbox/ninjaone"
    try:
        if options.deed == "raise":
            sys.stdout.write(f"{_raise(place, options.owner, options.device)}\n")
        else:
            _clear(place, options.owner, options.uid)
    except (Refused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _raise(place: str, owner: str, name: str) -> str:
    device = _found(place, owner, "devices", "systemName", name)
    record: Json = {
        "deviceId": device["id"],
        "subject": SUBJECT,
        "message": "Disk Volume: free space on D: is below 5%. Used 478 GB of 500 GB.",
        "sourceType": SOURCE,
        "severity": "CRITICAL",
        "priority": "HIGH",
    }
    alert = _ask("POST", f"{place}/alerts", {"owner": owner, "by": SUBJECT, "record": record})
    return str(alert["uid"]) if isinstance(alert, dict) else ""


def _clear(place: str, owner: str, uid: str) -> None:
    alert = _found(place, owner, "alerts", "uid", uid)
    _ask("DELETE", f"{place}/alerts/{alert['id']}", {"owner": owner})


def _found(place: str, owner: str, collection: str, part: str, value: str) -> dict[str, Json]:
    records = _ask("GET", f"{place}/{collection}?owner={owner}")
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict) and record.get(part) == value:
            return record
    raise Refused(f"NinjaOne has none of the {collection} with {part} {value!r}.")


def _ask(method: str, url: str, body: Json = None) -> Json:
    if not url.startswith("http://"):
        raise Refused(f"{url} is no address of a sandbox.")
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method=method)  # noqa: S310
    try:
        with _opener.open(request, timeout=SECONDS) as response:
            answer: Json = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise Refused(f"{url} answered {error.code}: {error.read(500).decode(errors='replace')}") from error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An alert of the demo world: raised, or cleared.")
    parser.add_argument("--sandbox", required=True, help="address of the running sandbox")
    parser.add_argument("--owner", default="northwind", help="whose NinjaOne (northwind)")
    deeds = parser.add_subparsers(dest="deed", required=True)
    deeds.add_parser("raise").add_argument("--device", required=True, help="its name in NinjaOne")
    deeds.add_parser("clear").add_argument("--uid", required=True, help="as raise printed it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
