"""The control plane under `/_sandbox/`: fault switches, planted records, reset. Loopback only, never logged.

It is how a test or a demo plays the people at the vendor's other end; nothing of the product speaks to it.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from integrations.sandbox.connectwise.problems import Problem
from integrations.sandbox.faults import BadFault, FaultBoard, read_fault
from integrations.sandbox.journal import Journal
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import Store
from integrations.sandbox.vendors import SEEDS, Vendor, seed_all
from integrations.sandbox.wire import Answer, Request, json_answer

PREFIX = "/_sandbox/"
_RECORDS = re.compile(r"/_sandbox/(?P<vendor>[\w]+)/(?P<collection>[\w-]+)(?:/(?P<id>\d{1,9}))?")


class ControlPlane:
    """Answers requests under `/_sandbox/`."""

    def __init__(self, store: Store, vendors: dict[str, Vendor], faults: FaultBoard, journal: Journal) -> None:
        self._store = store
        self._vendors = vendors
        self._faults = faults
        self._journal = journal

    def answer(self, request: Request, *, peer: str) -> Answer:
        """Serve a control request from this machine; a page in a browser and other machines are refused."""
        host = urlsplit(request.base_url).hostname or ""
        from_here = _is_loopback(peer) and _is_loopback(host)
        if not from_here or "origin" in request.headers:
            return json_answer(403, {"message": "the control plane is for this machine only"})
        try:
            return json_answer(200, self._serve(request))
        except Problem as problem:
            return json_answer(problem.status, problem.body())
        except BadFault as error:
            return json_answer(400, {"message": str(error)})
        except ValueError as error:
            return json_answer(400, {"message": f"not understood: {error}"})

    def _serve(self, request: Request) -> Json:
        match (request.method, request.path.removeprefix(PREFIX)):
            case ("POST", "faults"):
                return {"id": self._faults.arm(read_fault(request.json()))}
            case ("GET", "faults"):
                return [*self._faults.listing()]
            case ("DELETE", "faults"):
                self._faults.clear()
                return {"cleared": True}
            case ("POST", "reset"):
                return self._reset(request)
            case ("GET", "log"):
                return self._log(request)
            case ("GET", "connections"):
                return [row for vendor in self._vendors.values() for row in vendor.connections(request.base_url)]
            case _:
                return self._records(request)

    def _reset(self, request: Request) -> Json:
        """Put the seed back in place of every world and switch all faults off. The log goes on."""
        body = request.json() if request.body else {}
        seed = body.get("seed", "world") if isinstance(body, dict) else None
        if seed not in SEEDS:
            raise Problem(400, "BadSeed", f"seed is one of {', '.join(SEEDS)}")
        self._faults.clear()
        with self._store.change():
            seed_all(self._vendors, str(seed))
        return {"seed": seed, "log_rows": self._journal.length}

    def _log(self, request: Request) -> Json:
        since = dict(request.query).get("since", "0")
        if not since.isdigit():
            raise Problem(400, "BadQuery", "since is the number of a row")
        return [*self._journal.rows(since=int(since))]

    def _records(self, request: Request) -> Json:
        """`POST /_sandbox/<vendor>/<collection>` plants; PATCH and DELETE on an id are somebody else's hand."""
        match = _RECORDS.fullmatch(request.path)
        vendor = self._vendors.get(match["vendor"]) if match else None
        if match is None or vendor is None:
            raise Problem(404, "NotFound", "there is no such control")
        collection, number = match["collection"], int(match["id"]) if match["id"] else None
        if request.method == "GET":
            owner = dict(request.query).get("owner", "northwind")
            with self._store.change():
                return vendor.show(owner, collection, number)
        body = request.json() if request.body else {}
        if not isinstance(body, dict):
            raise Problem(400, "BadBody", "the body is an object with owner, by and what to do")
        owner, by = str(body.get("owner", "northwind")), str(body.get("by", "somebody"))
        with self._store.change():
            if request.method == "POST" and number is None:
                return self._plant(vendor, owner, collection, body, by)
            if request.method == "PATCH" and number is not None:
                return dict(vendor.change(owner, collection, number, body.get("operations"), by=by))
            if request.method == "DELETE" and number is not None:
                vendor.delete(owner, collection, number)
                return {"deleted": number}
        raise Problem(404, "NotFound", "there is no such control")

    def _plant(self, vendor: Vendor, owner: str, collection: str, body: Record, by: str) -> Json:
        several = body.get("records")
        if isinstance(several, list):
            return [dict(vendor.plant(owner, collection, record, by=by)) for record in several]
        return dict(vendor.plant(owner, collection, body.get("record"), by=by))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
