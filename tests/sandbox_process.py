"""The real vendor sandbox as a subprocess, for tests: start, plant, break, read its log.

One process a test worker, put back to its seed before every test that uses the `sandbox` fixture. The log is the only
truth about effects: assert on `effects()`, not on what a client believes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
_STOP_SECONDS = 5


@dataclass(frozen=True)
class SandboxConnection:
    """What an admin would enter to connect to the sandbox as one MSP."""

    name: str
    vendor: str
    owner: str
    label: str
    base_url: str
    api_url: str
    company_id: str
    public_key: str
    private_key: str
    client_id: str
    may_write: bool


@dataclass(frozen=True)
class NinjaOneClientRow:
    """What an admin would enter to connect to the sandbox's NinjaOne, or another vendor of such keys, as one MSP."""

    name: str
    vendor: str
    owner: str
    label: str
    base_url: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class ITGlueKey:
    """What an admin would enter to connect to the sandbox's IT Glue as one MSP."""

    name: str
    vendor: str
    owner: str
    label: str
    base_url: str
    api_key: str


@dataclass(frozen=True)
class McpToken:
    """What an admin would enter to connect to the sandbox's MCP server as one MSP."""

    name: str
    vendor: str
    owner: str
    label: str
    base_url: str
    token: str


@dataclass(frozen=True)
class Microsoft365AppRow(NinjaOneClientRow):
    """What an admin would enter to connect to the sandbox's Microsoft 365 as one MSP."""

    tenant_id: str


class SandboxProcess:
    """A running sandbox. Start it with `running_sandbox` or take the `sandbox` fixture."""

    def __init__(self, process: subprocess.Popen[str], base_url: str, state: Path, *, tls_url: str = "") -> None:
        self.process = process
        self.base_url = base_url
        self.tls_url = tls_url
        self.state = state
        self._seen = 0
        self._control = requests.Session()
        self._control.trust_env = False
        rows = self._ask("GET", "connections")
        #: What an admin would enter, by vendor and by the key's name.
        self.keys: dict[str, dict[str, dict[str, Any]]] = {}
        for row in rows:
            self.keys.setdefault(row["vendor"], {})[row["name"]] = row
        self.connections = {row["name"]: SandboxConnection(**row) for row in rows if row["vendor"] == "connectwise"}
        self.ninjaone = {row["name"]: NinjaOneClientRow(**row) for row in rows if row["vendor"] == "ninjaone"}
        self.itglue = {row["name"]: ITGlueKey(**row) for row in rows if row["vendor"] == "itglue"}
        self.pax8 = {row["name"]: NinjaOneClientRow(**row) for row in rows if row["vendor"] == "pax8"}
        self.mcp = {row["name"]: McpToken(**row) for row in rows if row["vendor"] == "mcp"}
        self.sophos = {row["name"]: NinjaOneClientRow(**row) for row in rows if row["vendor"] == "sophos"}

        self.microsoft365 = {row["name"]: Microsoft365AppRow(**row) for row in rows if row["vendor"] == "microsoft365"}

    @property
    def port(self) -> int:
        """The port it listens at, on 127.0.0.1."""
        return int(self.base_url.rpartition(":")[2])

    def reset(self, *, seed: str = "world") -> None:
        """Put the seed back ("world" or "empty"), switch faults off, and forget the log so far."""
        self._seen = self._ask("POST", "reset", {"seed": seed})["log_rows"]

    def log(self) -> list[dict[str, Any]]:
        """The vendor requests served since the last reset, oldest first."""
        rows: list[dict[str, Any]] = self._ask("GET", f"log?since={self._seen}")
        return rows

    def effects(self, *, owner: str | None = None) -> list[dict[str, Any]]:
        """The rows of the log that changed something at the vendor."""
        return [row for row in self.log() if row["effect"] and owner in (None, row["owner"])]

    def fault(self, kind: str, **options: Any) -> int:
        """Switch a fault on for the next request that fits (or the next `count`; None: until reset).

        Kinds: latency, status, cut_before, cut_after, half_open, slow_bytes, html, truncated. Scope: vendor, owner,
        method, path (a shell pattern on the whole path, "*/notes"), skip. Options: latency_ms, status, retry_after,
        effect, hold_seconds, bytes_per_second.
        """
        return int(self._ask("POST", "faults", {"kind": kind, **options})["id"])

    def clear_faults(self) -> None:
        """Switch every fault off."""
        self._ask("DELETE", "faults")

    def plant(
        self, collection: str, record: Mapping[str, Any], *, owner: str = "northwind", by: str = "somebody"
    ) -> dict[str, Any]:
        """Put a vendor-shaped record into an owner's world; returns it as stored (references are ids there)."""
        planted: dict[str, Any] = self._ask(
            "POST", f"connectwise/{collection}", {"owner": owner, "by": by, "record": dict(record)}
        )
        return planted

    def plant_many(
        self, collection: str, records: Sequence[Mapping[str, Any]], *, owner: str = "northwind", by: str = "somebody"
    ) -> list[dict[str, Any]]:
        """Put many records in at once: all of them, or none if one is not valid."""
        planted: list[dict[str, Any]] = self._ask(
            "POST", f"connectwise/{collection}", {"owner": owner, "by": by, "records": [dict(one) for one in records]}
        )
        return planted

    def plant_ticket(
        self,
        summary: str = "Printer prints blank pages",
        text: str = "Since this morning every page comes out empty.",
        *,
        company: str = "HARBOR",
        owner: str = "northwind",
        contact: int | None = None,
        board: str = "Service Desk",
        status: str | None = None,
        priority: str | None = None,
        notes: Sequence[Mapping[str, Any]] = (),
        configurations: Sequence[int] = (),
        entered: str | None = None,
    ) -> int:
        """A new ticket at the vendor, as if a client had written in; returns its number.

        `company` is an identifier, `notes` are vendor note bodies with an optional `by`, `entered` an ISO moment.
        """
        record: dict[str, Any] = {
            "summary": summary,
            "company": {"identifier": company},
            "board": {"name": board},
            "initialDescription": text,
            "notes": [dict(note) for note in notes],
            "configurations": list(configurations),
        }
        if contact is not None:
            record["contact"] = {"id": contact}
        if status is not None:
            record["status"] = {"name": status}
        if priority is not None:
            record["priority"] = {"name": priority}
        if entered is not None:
            record["dateEntered"] = entered
        return int(self.plant("tickets", record, owner=owner)["id"])

    def plant_note(
        self, ticket: int, text: str, *, internal: bool = True, owner: str = "northwind", by: str = "theo"
    ) -> int:
        """A note that somebody at the MSP writes on a ticket; returns its id."""
        flag = "internalAnalysisFlag" if internal else "detailDescriptionFlag"
        return int(self.plant("notes", {"ticketId": ticket, "text": text, flag: True}, owner=owner, by=by)["id"])

    def plant_company(self, identifier: str, name: str, *, owner: str = "northwind") -> int:
        """A new client company; returns its id."""
        return int(self.plant("companies", {"identifier": identifier, "name": name}, owner=owner)["id"])

    def plant_contact(
        self, first: str, last: str, email: str, *, company: str = "HARBOR", owner: str = "northwind"
    ) -> int:
        """A new contact of a company; returns the id."""
        record = {
            "firstName": first,
            "lastName": last,
            "company": {"identifier": company},
            "communicationItems": [{"value": email}],
        }
        return int(self.plant("contacts", record, owner=owner)["id"])

    def plant_device(
        self, name: str, *, company: str = "HARBOR", kind: str = "Workstation", owner: str = "northwind"
    ) -> int:
        """A new configuration of a company; returns its id."""
        record = {"name": name, "type": {"name": kind}, "company": {"identifier": company}}
        return int(self.plant("configurations", record, owner=owner)["id"])

    def change_ticket(self, ticket: int, *, owner: str = "northwind", by: str = "mara", **fields: Any) -> None:
        """Somebody else changes a ticket: `status={"name": "In Progress"}`, `summary="..."`; None empties a field."""
        operations = [{"op": "replace", "path": path, "value": value} for path, value in fields.items()]
        self.change("tickets", ticket, operations, owner=owner, by=by)

    def change(
        self, collection: str, number: int, operations: Sequence[Mapping[str, Any]], *, owner: str, by: str = "mara"
    ) -> None:
        """Somebody else changes a record by a PATCH array."""
        body = {"owner": owner, "by": by, "operations": [dict(operation) for operation in operations]}
        self._ask("PATCH", f"connectwise/{collection}/{number}", body)

    def delete(self, collection: str, number: int, *, owner: str = "northwind") -> None:
        """Somebody deletes a record at the vendor."""
        self._ask("DELETE", f"connectwise/{collection}/{number}", {"owner": owner})

    def stored(self, collection: str, number: int | None = None, *, owner: str = "northwind") -> Any:
        """What the vendor really holds: one record, or the whole collection (references are ids)."""
        path = f"connectwise/{collection}" if number is None else f"connectwise/{collection}/{number}"
        return self._ask("GET", f"{path}?owner={owner}")

    def monitored(self, collection: str, *, owner: str = "northwind") -> Any:
        """What NinjaOne really holds of a collection (devices, alerts, activities, organizations)."""
        return self._ask("GET", f"ninjaone/{collection}?owner={owner}")

    def plant_monitored(self, collection: str, record: Mapping[str, Any], *, owner: str = "northwind") -> Any:
        """A new device, alert or organization in NinjaOne."""
        return self._ask("POST", f"ninjaone/{collection}", {"owner": owner, "record": dict(record)})

    def plant_many_monitored(
        self, collection: str, records: Sequence[Mapping[str, Any]], *, owner: str = "northwind"
    ) -> None:
        """Many new records in NinjaOne at once."""
        self._ask("POST", f"ninjaone/{collection}", {"owner": owner, "records": [dict(one) for one in records]})

    def change_monitored(self, collection: str, number: int, *, owner: str = "northwind", **fields: Any) -> None:
        """The machine itself, or somebody else, changes fields of a record in NinjaOne."""
        self._ask("PATCH", f"ninjaone/{collection}/{number}", {"owner": owner, "operations": fields})

    def clear_alert(self, uid: str, *, owner: str = "northwind") -> None:
        """An alert clears in NinjaOne by itself."""
        found = next(one for one in self.monitored("alerts", owner=owner) if one["uid"] == uid)
        self._ask("DELETE", f"ninjaone/alerts/{found['id']}", {"owner": owner})

    def end_tokens(self, *, owner: str = "northwind") -> None:
        """Every token that NinjaOne gave to this owner ends now."""
        self._ask("DELETE", "ninjaone/tokens/1", {"owner": owner})

    def held(self, vendor: str, collection: str, *, owner: str = "northwind") -> Any:
        """What a vendor really holds of a collection."""
        return self._ask("GET", f"{vendor}/{collection}?owner={owner}")

    def put_in(self, vendor: str, collection: str, record: Mapping[str, Any], *, owner: str = "northwind") -> Any:
        """A new record at a vendor; returns it as stored."""
        return self._ask("POST", f"{vendor}/{collection}", {"owner": owner, "record": dict(record)})

    def put_in_many(
        self, vendor: str, collection: str, records: Sequence[Mapping[str, Any]], *, owner: str = "northwind"
    ) -> None:
        """Many new records at a vendor at once."""
        self._ask("POST", f"{vendor}/{collection}", {"owner": owner, "records": [dict(one) for one in records]})

    def alter(
        self, vendor: str, collection: str, number: int, changes: Mapping[str, Any], *, owner: str = "northwind"
    ) -> None:
        """Somebody else changes a record at a vendor, by paths of its fields."""
        self._ask("PATCH", f"{vendor}/{collection}/{number}", {"owner": owner, "operations": dict(changes)})

    def take_out(self, vendor: str, collection: str, number: int, *, owner: str = "northwind") -> None:
        """Somebody deletes a record at a vendor; of the collection `tokens`, all of the owner's tokens end."""
        self._ask("DELETE", f"{vendor}/{collection}/{number}", {"owner": owner})

    def cloud(self, collection: str, *, owner: str = "northwind") -> Any:
        """What Microsoft 365 really holds of a collection (tenants, users, groups, methods, ...), over all tenants."""
        return self._ask("GET", f"microsoft365/{collection}?owner={owner}")

    def plant_cloud(self, collection: str, tenant: str, record: Mapping[str, Any], *, owner: str = "northwind") -> Any:
        """A new record in a tenant."""
        body = {"tenant": tenant, "body": dict(record)}
        return self._ask("POST", f"microsoft365/{collection}", {"owner": owner, "record": body})["body"]

    def change_cloud(self, collection: str, number: int, *, owner: str = "northwind", **fields: Any) -> None:
        """Somebody else changes fields of a record, or of a tenant itself."""
        self._ask("PATCH", f"microsoft365/{collection}/{number}", {"owner": owner, "operations": fields})

    def consent(self, address: str) -> None:
        """An administrator of a tenant consents on the page at this address."""
        self.answer_consent(address)

    def answer_consent(self, address: str, decision: str = "accept") -> str:
        """What an administrator of a tenant answers on the page at this address; where it sends them then."""
        answer = self._control.post(address, data={"decision": decision}, timeout=30, allow_redirects=False)
        assert answer.ok, answer.text
        return answer.headers.get("Location", "")

    def end_cloud_tokens(self, *, owner: str = "northwind") -> None:
        """Every token that the sign-in service gave to this owner ends now."""
        self._ask("DELETE", "microsoft365/tokens/1", {"owner": owner})

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._control.request(method, f"{self.base_url}/_sandbox/{path}", json=body, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


@contextmanager
def running_sandbox(
    state: Path, *, port: int = 0, seed: str = "world", log: Path | None = None, tls: bool = False
) -> Iterator[SandboxProcess]:
    """A sandbox process on a free port with its state (and log) in a folder; ended with the block.

    With `tls` it serves TLS as well: at `.tls_url`, by the authority `<state>/tls/authority.pem`.
    """
    command = [sys.executable, "-m", "integrations.sandbox", "--port", str(port), "--state", str(state), "--seed", seed]
    if log is not None:
        command += ["--log", str(log)]
    if tls:
        command += ["--tls-port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        plain = _address(process)
        yield SandboxProcess(process, plain, state, tls_url=_address(process) if tls else "")
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)


def _address(process: subprocess.Popen[str]) -> str:
    """The address in the line that the sandbox prints when it is ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert " http" in line, f"the sandbox did not start: {line!r}, exit code {process.poll()}"
    return line.split()[-1]


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """This test worker's sandbox. Use `sandbox`, which puts it back to its seed first."""
    with tempfile.TemporaryDirectory(prefix="junto-sandbox-") as folder, running_sandbox(Path(folder)) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """The vendor sandbox with the demo world freshly inside and no fault switched on."""
    sandbox_process.reset()
    return sandbox_process


class OnSandbox:
    """To be mixed into test cases: already what is made once for the class finds `sandbox`, at its seed."""

    sandbox: SandboxProcess


@pytest.fixture(scope="class", autouse=True)
def _sandbox_of_a_class(request: pytest.FixtureRequest) -> None:
    """Here, not in the class: a class's own fixtures come after its `setUpClass`."""
    if request.cls is not None and issubclass(request.cls, OnSandbox):
        request.cls.sandbox = request.getfixturevalue("sandbox_process")
        request.cls.sandbox.reset()
