"""Every tool of the server. There is none that decides."""

from __future__ import annotations

from junto.desk.mcp.actions import PROPOSE_ACTION, READ_ACTION
from junto.desk.mcp.offers import AnyOffer
from junto.desk.mcp.runbooks import FIND_RUNBOOKS, READ_RUNBOOK
from junto.desk.mcp.sessions import FIND_SESSIONS, READ_SESSION, START_SESSION
from junto.desk.mcp.signal_offers import READ_SIGNAL, SEARCH_SIGNALS
from junto.desk.mcp.tools import FIND_TOOLS, READ_TOOL
from junto.tenants.actors import Actor

OFFERS: dict[str, AnyOffer] = {
    offer.name: offer
    for offer in (
        SEARCH_SIGNALS,
        READ_SIGNAL,
        FIND_SESSIONS,
        READ_SESSION,
        START_SESSION,
        FIND_RUNBOOKS,
        READ_RUNBOOK,
        FIND_TOOLS,
        READ_TOOL,
        PROPOSE_ACTION,
        READ_ACTION,
    )
}
#: A token needs one of these to use the server at all.
SCOPES = frozenset(offer.scope for offer in OFFERS.values())


def offered_to(actor: Actor) -> list[AnyOffer]:
    """The tools that the token's scopes open, in the order of the catalogue."""
    return [offer for offer in OFFERS.values() if offer.scope in actor.scopes]
