"""How a long-lived process keeps pauses short: those of the collector, and of threads that wait for one another."""

import gc
import sys
from typing import Final

#: Objects that come and stay before the young are looked through (Python's own: 700, as of 3.11), and how often before
#: the older ones are. A request of a thousand tickets makes more than a million.
THRESHOLDS: Final = (10_000, 20, 20)
#: Seconds that a thread may keep the interpreter while another waits for it (Python's own: 0.005). With two threads at
#: work a webhook's answer took 0.53 s at the 99th percentile with Python's own, and 0.16 s with this (bench/README.md).
HANDED_OVER_AFTER: Final = 0.001


def settle() -> None:
    """Take what is loaded by now for lasting, so that the collector never walks through it again; hand over sooner.

    To be called once a server or worker has all its code: some 360,000 objects, of which one look takes more than
    0.1 s, in which nothing else is answered (`gc.freeze` in Python's documentation).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(HANDED_OVER_AFTER)
