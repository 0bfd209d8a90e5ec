"""`bin/junto`: `up`, `doctor` and `worker` live here, every other word is a command of manage.py.

What goes wrong in a way we know is told in one sentence on stderr, with a non-zero exit and without a traceback.
"""

import os
import sys
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

from junto import doctor, env, up

REFUSED = 1


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
    word, rest = (arguments[0], list(arguments[1:])) if arguments else ("help", [])
    try:
        if word == "doctor":
            return doctor.run()  # a configuration it cannot read is one of its findings
        env.refuse_unknown_names()
        if word == "up":
            return up.run(rest)
        if word == "worker":
            return _work()
        return _manage([word, *rest])
    except (ImproperlyConfigured, up.Refusal) as refusal:
        print(f"junto: {refusal}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130


def _work() -> int:
    """Work the distributed engine's queue until stopped."""
    if not env.env_url("REDIS_URL"):
        raise ImproperlyConfigured(
            "a worker needs REDIS_URL: without it the server that bin/junto up starts does all work itself, "
            "so set REDIS_URL or start no worker."
        )
    return _manage(
        ["rqworker", "default", "--worker-class", "rq.worker.SimpleWorker", "--job-class", "django_tasks_rq.Job"]
    )


def _manage(words: list[str]) -> int:
    from django.core.management import execute_from_command_line  # noqa: PLC0415  (slow, and `up` has no use for it)

    execute_from_command_line(["bin/junto", *words])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
