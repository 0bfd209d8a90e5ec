"""`bin/junto`: `up` starts everything on one machine, every other word is a command of manage.py.

What goes wrong in a way we know is told in one sentence on stderr, with a non-zero exit and without a traceback.
"""

import os
import sys
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError

from junto import env, evaluate, up
from junto.datadir import Refusal, lend_secrets
from junto.sidecar import known_sandbox

REFUSED = 1
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
    word, rest = (arguments[0], list(arguments[1:])) if arguments else ("help", [])
    try:
        env.refuse_unknown_names()
        if word == "up":
            return up.run(rest)
        if word == "evaluate":
            return evaluate.run(rest)
        if word == "worker" and not env.env_url("REDIS_URL"):
            raise Refusal(
                "a worker needs REDIS_URL (without it the server that bin/junto up starts does all work itself): "
                "set REDIS_URL, or start no worker."
            )
        if word == "bench":
            lend_secrets()  # it reads nothing of this installation, so it needs no `up` before it
        if sandbox := known_sandbox(env.data_dir()):
            sandbox.make_reachable()
        execute_from_command_line(["bin/junto", word, *rest])
    except (ImproperlyConfigured, Refusal) as refusal:
        print(f"junto: {refusal}", file=sys.stderr)
        return REFUSED
    except (OperationalError, InterfaceError) as error:
        print(f"junto: the database cannot be used ({_first_line(error)}): bin/junto doctor helps.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _first_line(error: Exception) -> str:
    return (str(error).strip() or error.__class__.__name__).splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
