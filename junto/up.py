"""`bin/junto up`: everything on one machine, as one server process with the vendor sandbox as its only child."""

import argparse
import fcntl
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import uvicorn
from django.core.exceptions import ImproperlyConfigured

from junto import datadir, env
from junto.sandboxed import Sandbox, answers_healthy

GRACE_SECONDS = 5
READY_SECONDS = 60.0
SOCKET_FRAME_BYTES = 64 * 1024
