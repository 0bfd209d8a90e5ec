"""Makes `.venv` and fills it from a hashed lock, for `bin/junto` and `bin/test`.

Runs under the system's Python before anything is installed, and must be understood by old Pythons far enough to say
that they are too old: standard library only, no annotations, no f-strings.
"""

import errno
import fcntl
import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "junto-installed")
OLDEST = (3, 11)
FREE_BYTES_TO_INSTALL = 700 * 1000 * 1000
RUNTIME_LOCK = "requirements.lock"
SEMANTIC_LOCK = "requirements-semantic.lock"  # the extra [semantic], beside either of the others
DEVELOPMENT_LOCK = "requirements-dev.lock"  # a superset of the runtime lock, with the same versions


def stop(sentence):
    """One clear sentence on stderr and a non-zero exit."""
    sys.stderr.write("junto: %s\n" % sentence)
    sys.exit(1)


def require_python():
    """Refuse an interpreter that is too old, by a sentence instead of a syntax error."""
    if sys.version_info < OLDEST:
        stop(
            "Python %d.%d or newer is needed, this is %s: start it as python3.11 bin/%s, or install a newer Python."
            % (OLDEST + (sys.version.split()[0], os.path.basename(sys.argv[0])))
        )


def ensure_environment(lock):
    """Bring `.venv` to the state of `lock`; nothing happens when that lock was installed before."""
    _unless(lambda: _has(lock), lambda: _install(lock), _digest(lock), "w")


def _has(lock):
    if not os.path.exists(PYTHON):
        return False
    return _digest(lock) in _stamp() or (lock == RUNTIME_LOCK and _digest(DEVELOPMENT_LOCK) in _stamp())


def ensure_semantic():
    """Add the extra [semantic] to `.venv`; nothing happens when its lock was installed before."""
    wanted = _digest(SEMANTIC_LOCK)
    _unless(lambda: wanted in _stamp(), _install_semantic, wanted, "a")


def _unless(installed, install, wanted, how):
    """Install and write `wanted` to the stamp, or say in one sentence why not. Of two starts at once one installs."""
    if installed():
        return
    try:
        with open(__file__) as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if installed():
                return
            install()
            with open(STAMP, how) as file:
                file.write(wanted + "\n")
    except (IOError, OSError) as error:
        if error.errno == errno.ENOSPC:
            stop("the disk is full: free some space below %s and start again." % ROOT)
        stop("%s cannot be written (%s): start it as a user who may." % (VENV, error.strerror))


def _install_semantic():
    _require_space()
    sys.stderr.write("Installing what comparing meaning needs into .venv (once, 130 MB) ...\n")
    sys.stderr.flush()
    _pip(SEMANTIC_LOCK, "--no-deps")  # one of them depends on a framework of which nothing is used


def _install(lock):
    _require_space()
    sys.stderr.write("Installing what Junto needs into .venv (once, about a minute) ...\n")
    sys.stderr.flush()
    if os.path.exists(STAMP):
        os.remove(STAMP)
    arguments = [sys.executable, "-m", "venv", VENV]
    if os.path.lexists(PYTHON) and not os.path.exists(PYTHON):
        arguments.append("--clear")  # the Python it was made with is gone
    _run(arguments, "the virtual environment could not be made (on Debian and Ubuntu: apt install python3-venv)")
    _pip(lock)
    # So that every program of the environment finds the project, from whatever folder it is started.
    script = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = subprocess.check_output([PYTHON, "-c", script]).decode().strip()
    with open(os.path.join(packages, "junto.pth"), "w") as file:
        file.write(ROOT + "\n")


def _pip(lock, *options):
    _run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        + list(options)
        + ["--require-hashes", "-r", os.path.join(ROOT, lock)],
        "the packages of %s could not be installed" % lock,
    )


def _run(command, complaint):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode == 0:
        return
    if "No space left on device" in output:
        stop("the disk is full: free some space below %s and start again." % ROOT)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    stop("%s: %s" % (complaint, lines[-1] if lines else "no reason was given"))


def _require_space():
    import shutil  # noqa: PLC0415  (disk_usage does not exist before Python 3.3)

    if shutil.disk_usage(ROOT).free < FREE_BYTES_TO_INSTALL:
        stop("the disk is full: installing needs %d MB free below %s." % (FREE_BYTES_TO_INSTALL // 1000000, ROOT))


def _digest(lock):
    with open(os.path.join(ROOT, lock), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _stamp():
    if not os.path.exists(STAMP):
        return ""
    with open(STAMP) as file:
        return file.read()
