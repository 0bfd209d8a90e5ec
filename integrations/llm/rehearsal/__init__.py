"""A model with fixed rules instead of weights, behind the wire protocol of a real one.

It serves where no language model is configured: it gathers, reports, follows a runbook, proposes and sums up, always
the same for the same conversation. It keeps nothing: whatever it knows stands in the messages. It imports nothing of
the rest of Junto, so what works with it works with any server that speaks the protocol.
"""

from .wire import BASE_URL, MODEL_NAME, RehearsalTransport, rehearsal_client

__all__ = ["BASE_URL", "MODEL_NAME", "RehearsalTransport", "rehearsal_client"]
