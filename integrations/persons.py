"""Acting in the name of a person at the vendor, once they consented (integrations.consents): their refresh token.

The token is sealed for its row and its host, and of all processes one uses it at a time: the vendor may give a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from integrations import guard
from integrations.errors import ToolUnavailable, VendorRefused, VendorTimeout
from integrations.models import Connection, Consent, ConsentRequest
from integrations.sealing import Place, Unsealable, seal, unseal
from junto.tenants.scoping import TenantQuerySet

REFRESH_HOLDS = timedelta(seconds=40)
_LOOK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a consent gave: the refresh token and the scopes; of which authorization server, where a server names it."""

    refresh_token: str
    scopes: str
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class PersonTokens:
    """The refresh token of a consent: one process at a time uses it, as the vendor may give a new one."""

    consent: Consent
    connection: Connection

    @property
    def mark(self) -> str:
        """Another consent has another."""
        return str(self.consent.pk)

    def refresh(self, ask: Callable[[str], Redeemed], *, seconds: float) -> None:
        """Have `ask` use the refresh token, and keep the one it gives.

        Raises ToolUnavailable for a consent that holds no longer, VendorTimeout when others use it for too long.
        """
        deadline = time.monotonic() + seconds
        while not self._taken():
            if time.monotonic() > deadline:
                raise VendorTimeout("Another request is still signing in for the person who consented.", sent=False)
            time.sleep(_LOOK_AGAIN_SECONDS)
        row = consent_of(self.connection)
        try:
            if row is None or row.pk != self.consent.pk:
                raise ToolUnavailable("The consent for scripts was withdrawn.")
            place = place_of(row, self.connection)
            given = ask(unseal(row.sealed_token, place=place).decode())
            sealed = seal(given.refresh_token.encode(), place=place)
            self._row().update(sealed_token=sealed, refused="")
        except Unsealable:
            raise ToolUnavailable("The consent for scripts does not open here: it has to be given again.") from None
        except VendorRefused as refused:
            self._row().update(refused=str(refused)[:300])
            raise ToolUnavailable(f"The consent for scripts holds no longer: give it again. {refused}") from refused
        finally:
            self._row().update(busy_until=None)

    def _taken(self) -> bool:
        now = timezone.now()
        until = now + REFRESH_HOLDS
        free = self._row().filter(busy_until=None).update(busy_until=until)
        return bool(free or self._row().filter(busy_until__lt=now).update(busy_until=until) or not self._row().exists())

    def _row(self) -> TenantQuerySet[Consent]:
        return consents_of(self.connection).filter(pk=self.consent.pk)


def consent_of(connection: Connection) -> Consent | None:
    """The consent that stands."""
    found: Consent | None = consents_of(connection).select_related("membership__user").first()
    return found


def person_of(connection: Connection) -> PersonTokens | None:
    """Whoever consented to be acted for, if anybody did."""
    consent = consent_of(connection)
    return PersonTokens(consent, connection) if consent else None


def place_of(row: Consent | ConsentRequest, connection: Connection) -> Place:
    """Where its secret is sealed: it opens for this row and this host only."""
    origin = guard.target_of(connection.base_url).origin
    return Place(
        organization_id=connection.organization_id, table=type(row)._meta.db_table, pk=row.pk, field=f"secret@{origin}"
    )


def consents_of(connection: Connection) -> TenantQuerySet[Consent]:
    """The consent of a connection, or none."""
    rows: TenantQuerySet[Consent] = Consent.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)
