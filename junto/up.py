"""`bin/junto up`: everything on one machine, as one server process with the vendor sandbox as its only child."""

import argparse
import errno
import os
import shlex
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import django
import uvicorn
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from junto import env
from junto.datadir import Refusal, broken_database, check_sqlite, prepared, remember_address
from junto.retrieval.encoder import missing_packages
from junto.sidecar import SandboxPlace, known_sandbox, new_sandbox, running_sandbox, wait_until_healthy

GRACE_SECONDS = 5
READY_SECONDS = 60.0
SOCKET_FRAME_BYTES = 64 * 1024
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (an address to recognize, not to listen on)


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    host: str
    port: int
    data_dir: Path
    demo: bool

    @property
    def local_host(self) -> str:
        """A host under which this machine reaches the server."""
        return WILDCARDS.get(self.host, self.host)

    @property
    def address(self) -> str:
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return f"http://{host}:{self.port}"


def run(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; `Refusal` when something stands in the way."""
    options = _parse(arguments)
    os.umask(0o077)  # a folder that was there before may be open to all of this machine; what is made in it is not
    signal.signal(signal.SIGTERM, _interrupt)
    os.environ["JUNTO_DATA_DIR"] = str(options.data_dir)
    with ExitStack() as stack:
        stack.enter_context(prepared(options.data_dir))
        listener = stack.enter_context(_listener(options))
        remember_address(options.data_dir, options.address)
        sandbox = _configure(options)
        _migrate(options)
        if sandbox:
            _say("Starting the vendor sandbox")
            stack.enter_context(running_sandbox(sandbox))
        _serve(options, sandbox, listener)
    _say("Stopped.")
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refusal(f"{message}: bin/junto up --help lists the options.")


def _parse(arguments: Sequence[str]) -> Options:
    parser = _Parser(prog="bin/junto up", description="Start Junto on this machine.", allow_abbrev=False)
    parser.add_argument("--port", type=_port, default=8000, help="port to serve on (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (127.0.0.1)")
    parser.add_argument("--data-dir", type=Path, default=None, help="folder of database, secrets and sandbox (var)")
    parser.add_argument("--no-demo", action="store_true", help="load no demo")
    parser.add_argument("--semantic", action="store_true", help="match runbooks by meaning too (130 MB, once)")
    given = parser.parse_args(arguments)
    if given.semantic and missing_packages():
        parser.error("the extra [semantic] is installed by bin/junto itself: start it as bin/junto up --semantic")
    data_dir = given.data_dir.expanduser().resolve() if given.data_dir else env.data_dir()
    return Options(host=given.host, port=given.port, data_dir=data_dir, demo=not given.no_demo)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError("a port is a whole number from 1 to 65535")
    return int(text)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _listener(options: Options) -> socket.socket:
    """The bound port; taken before any work, so that a taken one is told at once."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        # only who listens has the port: two may be bound to it; uvicorn asks for its own backlog later
        listener.listen()
    except OSError as error:
        listener.close()
        raise Refusal(_untaken(options, error)) from error
    return listener


def _untaken(options: Options, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{options.host} is no address of this machine ({reason}): choose another one with --host."
    port = f"port {options.port} of {options.host} cannot be taken ({reason})"
    if error.errno == errno.EACCES:
        return f"{port}: choose one from 1024 on with --port."
    return f"{port}: choose another one with --port, or stop the program that has it."


def _configure(options: Options) -> SandboxPlace | None:
    """Complete the environment for `junto.settings`; returns the sandbox's place if one belongs to this data folder."""
    os.environ.setdefault("JUNTO_PUBLIC_URL", options.address)
    if options.host not in WILDCARDS:
        host = f"[{options.host}]" if ":" in options.host else options.host
        os.environ.setdefault("JUNTO_ALLOWED_HOSTS", f"localhost,127.0.0.1,[::1],{host}")
    sandbox = known_sandbox(options.data_dir)
    if sandbox is None and options.demo:
        sandbox = new_sandbox(options.data_dir)
    if sandbox:
        sandbox.make_reachable()
    return sandbox


def _migrate(options: Options) -> None:
    if not missing_packages():
        _say("Runbooks are matched by words and by meaning")
    _say("Preparing the database")
    if not env.env_url("DATABASE_URL"):
        check_sqlite(options.data_dir / "junto.sqlite3")
    django.setup()
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        if connection.vendor == "sqlite":
            raise broken_database(Path(str(connection.settings_dict["NAME"])), error) from error
        raise Refusal(_no_server(error)) from error
    finally:
        connection.close()


def _no_server(error: DatabaseError) -> str:
    reason = str(error).strip().splitlines() or [error.__class__.__name__]
    return (
        f"the database of DATABASE_URL cannot be used ({reason[0]}): see that its server runs, "
        "and that the address, the user and the password are right."
    )


def _first_organization(options: Options) -> str:
    """The command that makes it, in this data folder."""
    folder = "" if options.data_dir == env.ROOT / "var" else f" --data-dir {shlex.quote(str(options.data_dir))}"
    return f"bin/junto organization create --name 'Your MSP' --slug your-msp --owner you@example.com{folder}"


def _serve(options: Options, sandbox: SandboxPlace | None, listener: socket.socket) -> None:
    config = uvicorn.Config(
        "junto.asgi:application",
        lifespan="on",
        log_config=None,
        access_log=False,
        ws_max_size=SOCKET_FRAME_BYTES,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=_welcome, args=(options, sandbox, server), name="welcome", daemon=True).start()
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return  # uvicorn stopped gracefully and handed the signal on
    except SystemExit as ended:
        raise Refusal("the server could not start: the lines above say why, and bin/junto doctor helps.") from ended


def _welcome(options: Options, sandbox: SandboxPlace | None, server: uvicorn.Server) -> None:
    """Beside the running server: load the demo through its doors, then say where it is."""
    try:
        wait_until_healthy(
            options.local_host, options.port, seconds=READY_SECONDS, alive=lambda: not server.should_exit
        )
        if options.demo and sandbox:
            call_command("demo_load", base_url=options.address, sandbox_url=sandbox.address)
        empty = not apps.get_model("tenants", "Organization").objects.exists()
    except (Refusal, CommandError) as problem:
        if not server.should_exit:
            print(f"junto: {problem}", file=sys.stderr, flush=True)
        return
    finally:
        connection.close()
    _say(f"Junto is ready at {options.address}  (Ctrl-C stops it)")
    if empty:
        _say(
            f"Nobody has an account yet. Make the first organization with its Owner:\n  {_first_organization(options)}"
        )
    if options.host in WILDCARDS and "JUNTO_ALLOWED_HOSTS" not in os.environ:
        _say("It answers only to localhost: set JUNTO_ALLOWED_HOSTS to the names others use for this machine.")


def _say(line: str) -> None:
    print(line, flush=True)
