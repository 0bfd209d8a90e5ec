"""Four procedures, and an encoder whose meaning is plain to see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from junto.retrieval.documents import Document
from junto.retrieval.encoder import DIMENSIONS, Vectors

SHELF = {
    0: Document("Reset a password", "Verify the caller, then reset the password and tell them by phone."),
    1: Document("Disk full on a server", "Find what fills the volume and make room: logs, temp files, old backups."),
    2: Document("VPN does not connect", "Check the client version, the certificate and the gateway."),
    3: Document("Printer prints nothing", "Look at the queue and the driver, then the toner."),
}


class TopicEncoder:
    """Stands at the border in place of the model: a text means the first topic of which it holds a word."""

    name = "topics"
    topics = (("password", "credentials"), ("disk", "storage"), ("vpn", "tunnel"), ("printer", "paper"))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""
        found = numpy.zeros((len(texts), DIMENSIONS), numpy.float32)
        for row, text in enumerate(texts):
            topics = (place for place, words in enumerate(self.topics) if any(word in text.lower() for word in words))
            found[row, next(topics, DIMENSIONS - 1)] = 1
        return found
