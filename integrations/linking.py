"""A company linked by an id that a person typed: only one that the vendor lists or confirms, under its name there."""

from __future__ import annotations

from contextlib import closing
from typing import Protocol, runtime_checkable

from integrations.connections import normal_company_id, open_client, vendor_of
from integrations.contracts import CompanyRecord
from integrations.directory import link_company
from integrations.errors import NotACompany, ToolUnavailable
from integrations.matching import READ_SECONDS, NamesCompanies
from integrations.models import CompanyLink, Connection
from integrations.sources import is_ticket_source, open_ticket_source
from integrations.vendors import is_mcp
from integrations.warrants import Errand
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require


@runtime_checkable
class ConfirmsCompanies(Protocol):
    """A client that can look at a company which the vendor does not list."""

    def confirm_company(self, external_id: str) -> CompanyRecord:
        """The company of this id, in its normal form. Raises IntegrationError for one that is not to be linked."""
        ...


def link_by_id(*, actor: Actor, connection: Connection, company: Company, external_id: str) -> CompanyLink:
    """Ask the vendor for the company of this id, and link it under the name it has there.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        NotACompany: the text is no id of a company there, or the vendor knows none of it.
        IntegrationError: the vendor could not be asked, or says why it is not to be linked.
        AlreadyLinked: one of the two is linked already.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    there = _company_there(connection, normal_company_id(vendor_of(connection), external_id))
    return link_company(
        actor=actor,
        connection=connection,
        company=company,
        external_id=there.external_id,
        external_name=there.name,
    )


def _company_there(connection: Connection, external_id: str) -> CompanyRecord:
    label = vendor_of(connection).label
    if is_mcp(connection.vendor):
        return CompanyRecord(external_id=external_id, name="")  # a server that cannot be asked: the Admin's word counts
    if is_ticket_source(connection):
        with closing(open_ticket_source(connection)) as source:
            found = next((one for one in source.companies() if one.external_id == external_id), None)
    else:
        with closing(open_client(connection, Errand.reading(READ_SECONDS))) as client:
            if not isinstance(client, NamesCompanies):
                raise ToolUnavailable(f"{label} does not name its companies.")
            found = next(
                (one for one in client.company_records() if one.external_id.lower() == external_id.lower()), None
            )
            if found is None and isinstance(client, ConfirmsCompanies):
                found = client.confirm_company(external_id)
    if found is None:
        raise NotACompany(f"{label} knows no company {external_id}.")
    return found
