"""`bin/junto`: `up` starts everything on one machine, every other word is a command of manage.py.

What goes wrong in a way we know is told in one sentence on stderr, with a non-zero exit and without a traceback.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import (
    CommandError,
    execute_from_command_line,
    get_commands,
    handle_default_options,
    load_command_class,
)
from django.core.management.base import SystemCheckError
from django.db import InterfaceError, OperationalError, connections

from junto import env, evaluate, new_vendor, up
from junto.datadir import Refusal, lend_secrets, remembered_address
from junto.sidecar import known_sandbox

REFUSED = 1
INTERRUPTED = 130

#: Our own commands and what each does, as `bin/junto help` tells it.
OVERVIEW = {
    "up": "start everything on this machine (--port --host --data-dir --no-demo --semantic)",
    "doctor": "look whether everything is well, and say what to do where it is not",
    "organization": "make an organization and its first Owner",
    "runbooks": "runbooks as Markdown files: export, import; library: the templates that come with Junto",
    "audit": "verify the audit log",
    "reseal_credentials": "seal every credential anew with the first of JUNTO_CREDENTIAL_KEYS",
    "demo_alert": "the demo: an alert is raised, gets its ticket, clears, and the ticket closes (beside up)",
    "worker": "distributed only: work the queue and keep the clock",
    "migrate": "distributed only: bring the database to this version (up does it by itself)",
    "evaluate": "measure how well runbooks are matched and tickets read: matching, classification, textwork",
    "new_vendor": "developers: write the skeleton of a new vendor (NAME --label --dry-run)",
    "bench": "measure: bin/junto bench agent_loop --json",
    "tools": "every tool there is, as docs/tools.md tells them (--write renews that page)",
}
#: They read nothing of an installation, so they need no `up` before them.
OF_NO_INSTALLATION = frozenset({"bench", "tools"})
HELP_WORDS = frozenset({"help", "--help", "-h"})
FOLDER = "--data-dir"


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
    word, rest = (arguments[0], list(arguments[1:])) if arguments else ("help", [])
    try:
        return _begin(word, rest)
    except (ImproperlyConfigured, Refusal) as refusal:
        if word in OVERVIEW and HELP_WORDS.intersection(rest):
            print(f"bin/junto {word}: {OVERVIEW[word]}\nIts options are told once bin/junto up has run.")
            return 0
        print(f"junto: {refusal}", file=sys.stderr)
        return REFUSED
    except CommandError as refusal:
        print(f"junto: {refusal}", file=sys.stderr)
        return refusal.returncode
    except (OperationalError, InterfaceError) as error:
        print(f"junto: the database cannot be used ({_first_line(error)}): bin/junto doctor helps.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _begin(word: str, rest: list[str]) -> int:
    """The words that need no settings, then the command."""
    if word in HELP_WORDS and not rest:
        print(overview())
        return 0
    env.refuse_unknown_names()
    if word == "up":
        return up.run(rest)
    if word == "evaluate":
        return evaluate.run(rest)
    if word == "new_vendor":
        return new_vendor.run(rest)
    rest = _choose_folder(rest)
    if word == "worker" and not env.env_url("REDIS_URL"):
        raise Refusal(
            "a worker needs REDIS_URL (without it the server that bin/junto up starts does all work itself): "
            "set REDIS_URL, or start no worker."
        )
    if word in OF_NO_INSTALLATION:
        lend_secrets()
    _look_around()
    _run(word, rest)
    return 0


def overview() -> str:
    """Every command of our own in a line."""
    width = max(map(len, OVERVIEW))
    lines = [f"  {word:<{width}}  {words}" for word, words in OVERVIEW.items()]
    return "\n".join(
        [
            "bin/junto COMMAND [options]",
            "",
            *lines,
            "",
            "bin/junto COMMAND --help tells the options of one.",
            "Each takes --data-dir FOLDER (without it JUNTO_DATA_DIR, else var), but evaluate and new_vendor.",
            "Any other word goes to Django's manage.py (check, shell, dbshell, ...). docs/operators.md tells the rest.",
        ]
    )


def _choose_folder(words: list[str]) -> list[str]:
    """Take `--data-dir FOLDER` out of the words and into the environment, as for `up`."""
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        name, given, value = word.partition("=")
        if name != FOLDER:
            rest.append(word)
            continue
        folder = value if given else next(waiting, "")
        if not folder:
            raise Refusal("--data-dir needs a folder behind it.")
        place = Path(folder).expanduser().resolve()
        if not place.is_dir():
            raise Refusal(f"there is no folder {place}: give the one that bin/junto up works on.")
        os.environ["JUNTO_DATA_DIR"] = str(place)
    return rest


def _look_around() -> None:
    """What `up` knows and a command beside it must find: the server's address, and the sandbox."""
    if address := remembered_address(env.data_dir()):
        os.environ.setdefault("JUNTO_PUBLIC_URL", address)
    if sandbox := known_sandbox(env.data_dir()):
        sandbox.make_reachable()


def _run(word: str, rest: Sequence[str]) -> None:
    """Run a command: wrong options of our own are one sentence, Django's own go their usual way."""
    if word in HELP_WORDS:
        execute_from_command_line(["bin/junto", *rest[:1], "--help"])
        return
    django.setup()
    app = get_commands().get(word)
    if app is None:
        raise Refusal(f"there is no command {word!r}: bin/junto help lists them.")
    if word not in OVERVIEW or app == "django.core":
        execute_from_command_line(["bin/junto", word, *rest])
        return
    command = load_command_class(app, word) if isinstance(app, str) else app
    try:
        given = command.create_parser("bin/junto", word).parse_args(list(rest))
    except CommandError as wrong:
        raise Refusal(f"{str(wrong).removeprefix('Error: ')} (bin/junto {word} --help lists the options).") from wrong
    handle_default_options(given)
    options = vars(given)
    positional = options.pop("args", ())
    try:
        command.execute(*positional, **options)
    except SystemCheckError as problems:
        raise Refusal(str(problems)) from problems
    finally:
        connections.close_all()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or error.__class__.__name__).splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
