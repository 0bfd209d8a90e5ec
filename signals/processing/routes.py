"""What comes of a route that a person accepted."""

from __future__ import annotations

from junto.tenants.actors import Actor
from junto.tenants.models import Company
from signals.models import Signal
from signals.processors.router import Route
from signals.services import map_company


def carry_out(signal: Signal, value: Route, *, actor: Actor) -> str:
    """What comes of a route that a person accepted; says so in words.

    A ticket of no known company gets the company here. All else has to be done in the PSA, by hand so far.

    Raises:
        PermissionDenied: `actor` may not work for that company.
        StaleState: the ticket is closed.
    """
    if value.action == "skip":
        return "It stays where it is."
    if value.action == "move_company" and signal.company_id is None:
        company = Company.objects.visible_to(actor).filter(name__iexact=value.target, is_active=True).first()
        if company is None:
            return f"Noted. There is no company {value.target} here: choose its company on the ticket’s page."
        map_company(signal=signal, company=company, actor=actor)
        return f"The ticket belongs to {company.name} now, here in Junto."
    return f"Noted. Junto does not do that in the PSA by itself: {value.words().lower()} there."
