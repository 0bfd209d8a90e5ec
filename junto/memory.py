"""How a long-lived process lets Python's collector spend less of its time."""

import gc
from typing import Final

#: Objects that come and stay before the young are looked through (Python's own: 700, as of 3.11), and how often before
#: the older ones are. A request of a thousand tickets makes more than a million.
THRESHOLDS: Final = (10_000, 20, 20)


def settle() -> None:
    """Take what is loaded by now for lasting, so that the collector never walks through it again.

    To be called once a server or worker has all its code: some 360,000 objects, of which one look takes
    more than 0.1 s, in which nothing else is answered (`gc.freeze` in Python's documentation).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
