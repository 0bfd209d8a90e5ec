"""A program of its own: runs a command, and passes on what it writes line by line while no line is too long.

`python -I bounded_command.py LONGEST COMMAND ARGUMENTS...`: what is typed goes to the command as it is. Where it cannot
be started, or a line is longer than LONGEST bytes, the standard error says so in two words, and everything ends. It
knows nothing of this project, so that it starts quickly.
"""

from __future__ import annotations

import subprocess
import sys

TOO_LONG = "too long"
NOT_STARTED = "not started"


def main(longest: int, command: list[str]) -> int:
    """Run `command` to its end; its exit code, or 1 where it was ended."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - the operator's own
    except OSError:
        sys.stderr.write(NOT_STARTED)
        return 1
    assert process.stdout is not None
    while line := process.stdout.readline(longest + 1):
        if len(line) > longest:
            sys.stderr.write(TOO_LONG)
            process.kill()
            return 1
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    return process.wait()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2:]))
