"""A connection's credentials, and clients opened with them. Nobody else unseals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from pydantic import TypeAdapter, ValidationError

from integrations import guard
from integrations.contracts import CredentialField, Rights, VendorClient
from integrations.errors import NotACompany, ToolUnavailable
from integrations.models import CompanyLink, Connection, Webhook
from integrations.persons import person_of
from integrations.sealing import Place, Unsealable, is_current, reseal, seal, unseal
from integrations.traffic import PER_MINUTE, SharedPace
from integrations.vendors import Vendor, is_mcp, vendor_label, vendor_named
from integrations.warrants import Errand, Traffic
from junto.tenants.models import Company, Organization

_CREDENTIALS = TypeAdapter(dict[str, str])


def vendor_of(connection: Connection) -> Vendor:
    """The vendor's row. Raises ToolUnavailable for one that this version does not know."""
    vendor = vendor_named(connection.vendor)
    if vendor is None:
        raise ToolUnavailable(f"{connection.label} is of a kind that is not installed.")
    return vendor


def credential_fields(vendor: Vendor) -> tuple[CredentialField, ...]:
    """What has to be entered to connect this vendor."""
    return cast("tuple[CredentialField, ...]", vendor.module("client").CREDENTIAL_FIELDS)


def asks_people(vendor: Vendor) -> bool:
    """Whether people at this vendor may consent to be acted for."""
    return hasattr(vendor.module("client"), "AUTHORIZE_PATH")


def consent_link(link: CompanyLink, *, redirect_uri: str, state: str) -> str:
    """Where an administrator of a linked company consents to the app, and whence they are sent with `state`.

    Raises ToolUnavailable or AddressRefused for a connection that does not lead there.
    """
    connection = link.connection
    if not each_company_consents(vendor_of(connection)):
        raise ToolUnavailable(f"{vendor_of(connection).label} does not ask each company.")
    address: str = (
        vendor_of(connection)
        .module("client")
        .consent_link(
            connection.base_url,
            client_id=credential_value(connection, "client_id"),
            external_id=link.external_id,
            redirect_uri=redirect_uri,
            state=state,
        )
    )
    return address


def each_company_consents(vendor: Vendor) -> bool:
    """Whether the app is let in by each company itself, and so also by one that the vendor does not list for us."""
    return hasattr(vendor.module("client"), "consent_link")


def address_help(vendor: Vendor) -> str:
    """What the address of this vendor looks like."""
    return str(vendor.module("client").ADDRESS_HELP)


def set_up_steps(vendor: Vendor) -> tuple[str, ...]:
    """What to make at this vendor before it is connected."""
    return cast("tuple[str, ...]", vendor.module("client").SET_UP)


def rights(vendor: Vendor) -> tuple[Rights, ...]:
    """What to grant at this vendor, where its rights have names to be chosen one by one."""
    told = getattr(vendor.module("client"), "RIGHTS", None)
    if told is not None:
        return cast("tuple[Rights, ...]", told)
    looking = {words for endpoint, words in vendor.permissions.items() if endpoint.traffic is not Traffic.WRITE}
    acting = [words for words in dict.fromkeys(vendor.permissions.values()) if words not in looking]
    if not acting:  # a key is a key: there is nothing to choose
        return ()
    return Rights("to look", tuple(sorted(looking))), Rights("to act", tuple(acting), acts=True)


def normal_base_url(vendor: Vendor, url: str) -> str:
    """The base URL in the vendor's own form."""
    return str(vendor.module("client").normal_base_url(url))


def normal_company_id(vendor: Vendor, external_id: str) -> str:
    """A company's id there in the one form that it is kept and compared in: one company has one id here (I7).

    Raises NotACompany for what is none.
    """
    normal = getattr(vendor.module("client"), "normal_company_id", str.strip)
    try:
        return str(normal(external_id))
    except ValueError as error:
        raise NotACompany(f"{external_id.strip()[:80]} is no id of a company in {vendor.label}: {error}.") from None


def seal_credentials(connection: Connection, credentials: Mapping[str, str]) -> None:
    """Put sealed credentials on the row, unsaved. They open for this row and this host only (I12)."""
    connection.sealed_credentials = seal(json.dumps(dict(credentials)).encode(), place=_place(connection))


def reseal_credentials(connection: Connection) -> bool:
    """Put the row's credentials under the current key; False where they stood there already. Raises Unsealable.

    Written only where nobody entered others meanwhile.
    """
    sealed = connection.sealed_credentials
    if is_current(sealed):
        return False
    anew = reseal(sealed, place=_place(connection))
    rows = Connection.unscoped.filter(pk=connection.pk, sealed_credentials=sealed)
    return bool(rows.update(sealed_credentials=anew))


def reseal_webhook(webhook: Webhook) -> bool:
    """The same for what opens a webhook; False also where it belongs to a former host, and opens nothing more."""
    sealed = webhook.sealed_secrets
    if is_current(sealed):
        return False
    try:
        anew = reseal(sealed, place=webhook_place(webhook))
    except Unsealable:
        return False
    return bool(Webhook.unscoped.filter(pk=webhook.pk, sealed_secrets=sealed).update(sealed_secrets=anew))


def webhook_place(webhook: Webhook) -> Place:
    """Where a webhook's secrets are sealed: what one host gave proves nothing once the connection leads to another."""
    origin = guard.target_of(webhook.connection.base_url).origin
    return Place(
        organization_id=webhook.organization_id,
        table=Webhook._meta.db_table,
        pk=webhook.pk,
        field=f"sealed_secrets@{origin}",
    )


def open_client(connection: Connection, errand: Errand, *, insists: bool = False) -> VendorClient:
    """A client for one errand, to be closed. `insists`: a person tries it, so a resting vendor is asked all the same.

    Raises:
        ToolUnavailable: paused, without credentials, or with ones that do not open.
        AddressRefused: its address is none that requests may go to.
    """
    if connection.state == Connection.State.PAUSED:
        raise ToolUnavailable(f"{connection.label} is paused.")
    credentials, module = _credentials(connection), vendor_of(connection).module("client")
    more: dict[str, object] = {"person": person_of(connection)} if asks_people(vendor_of(connection)) else {}
    if is_mcp(connection.vendor):
        more["label"] = connection.label
    try:
        client: VendorClient = module.open_client(
            base_url=connection.base_url,
            credentials=credentials,
            errand=errand,
            lane=str(connection.pk),
            pace=SharedPace(connection, insists=insists, per_minute=per_minute(vendor_of(connection))),
            **more,
        )
    except ValidationError:
        raise ToolUnavailable(f"{connection.label} has credentials that cannot be right: enter them again.") from None
    return client


def per_minute(vendor: Vendor) -> int:
    """Requests that Junto sends to it in a minute, at most: what its client says, else what all may."""
    return int(getattr(vendor.module("client"), "PER_MINUTE", PER_MINUTE))


def credential_value(connection: Connection, name: str) -> str:
    """One of the credentials that is no secret, such as the client's id. Raises ToolUnavailable."""
    return _credentials(connection).get(name, "")


def account_of(connection: Connection) -> str:
    """Our account's own name at the vendor, where it has one; no secret. Raises ToolUnavailable."""
    return _credentials(connection).get("company_id", "")


def linked(organization: Organization, company: Company, vendor: str) -> CompanyLink:
    """The company's link at the vendor, with its connection. Raises ToolUnavailable."""
    links = CompanyLink.objects.for_organization(organization).select_related("connection", "organization")
    link = links.filter(company=company, connection__vendor=vendor).first()
    if link is not None:
        return link
    raise ToolUnavailable(f"{company.name} is not linked to a company in {vendor_label(vendor) or vendor}.")


def _credentials(connection: Connection) -> dict[str, str]:
    if not connection.sealed_credentials:
        raise ToolUnavailable(f"{connection.label} has no credentials: enter them on the connections page.")
    try:
        return _CREDENTIALS.validate_json(unseal(connection.sealed_credentials, place=_place(connection)))
    except (Unsealable, ValidationError):
        raise ToolUnavailable(
            f"The credentials of {connection.label} do not open here: enter them on the connections page."
        ) from None


def _place(connection: Connection) -> Place:
    # the host is part of the place, so that even a row changed behind our back sends no key to another host
    origin = guard.origin_of(connection.base_url)
    return Place(
        organization_id=connection.organization_id,
        table=Connection._meta.db_table,
        pk=connection.pk,
        field=f"sealed_credentials@{origin}",
    )
