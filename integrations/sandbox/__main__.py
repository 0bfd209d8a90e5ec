"""`python -m integrations.sandbox`: serve the vendors' APIs on loopback until a signal ends it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from integrations.sandbox.control import ControlPlane
from integrations.sandbox.faults import FaultBoard
from integrations.sandbox.journal import Journal
from integrations.sandbox.postman import Postman
from integrations.sandbox.server import Sandbox, SandboxServer
from integrations.sandbox.store import StateInUse, Store
from integrations.sandbox.tls import server_context
from integrations.sandbox.vendors import SEEDS, connection_list, make_vendors, seed_missing

_DEFAULT_PORT = 8791


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit code 2 and one sentence where it cannot start."""
    options = _options()
    if options.print_connections:
        _say(json.dumps(connection_list(f"http://{options.host}:{options.port}"), indent=2))
        return 0
    try:
        store = Store(options.state)
        journal = Journal(options.log or options.state / "requests.jsonl")
        vendors = make_vendors(store)
        faults = FaultBoard()
        sandbox = Sandbox(store, journal, faults, vendors, ControlPlane(store, vendors, faults, journal))
        servers = [SandboxServer((options.host, options.port), sandbox)]
        if options.tls_port is not None:
            context = server_context(options.state / "tls")
            servers.append(SandboxServer((options.host, options.tls_port), sandbox, context))
    except (StateInUse, OSError) as error:
        sys.stderr.write(f"The vendor sandbox cannot start: {error}\n")
        return 2
    with store.change():
        seed_missing(vendors, options.seed)
    postman = Postman(lambda change, base: vendors[change.vendor].letters(change, base), servers[0].base_url)
    store.listener = postman.hear
    _serve(servers)
    store.close()
    journal.close()
    return 0


def _serve(servers: Sequence[SandboxServer]) -> None:
    """Say where, and serve until a signal comes."""
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        _say(f"The vendor sandbox serves at {server.base_url}")
    ended.wait()
    for server in servers:
        server.shutdown()
        server.server_close()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: loopback)")
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT, help="port; 0 takes a free one")
    parser.add_argument("--tls-port", type=int, default=None, help="also serve TLS there (authority: STATE/tls)")
    parser.add_argument("--state", type=Path, default=Path("var/sandbox"), help="folder in which records are kept")
    parser.add_argument("--log", type=Path, default=_log_from_environment(), help="request log (JUNTO_SANDBOX_LOG)")
    parser.add_argument("--seed", choices=SEEDS, default="world", help="what a new state folder begins with")
    parser.add_argument("--print-connections", action="store_true", help="print what connects to it, as JSON, and end")
    return parser.parse_args()


def _log_from_environment() -> Path | None:
    named = os.environ.get("JUNTO_SANDBOX_LOG")
    return Path(named) if named else None


if __name__ == "__main__":
    sys.exit(main())
