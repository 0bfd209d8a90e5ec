"""The tool that adds somebody whom the vendor writes to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused
from integrations.pax8 import endpoints, schemas
from integrations.pax8.client import LABEL
from integrations.pax8.targets import client_of, company_id_of, company_of, ownership
from integrations.tools import (
    Category,
    Change,
    ExternalRecord,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)
from integrations.wire import record_of
from integrations.wording import counted, single_line

UNDO = "Delete the contact on the company's page in Pax8."

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), single_line]


class AddContact(ToolArguments):
    first_name: Name = Field(description="The first name.")
    last_name: Name = Field(description="The last name.")
    email: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$")
    ] = Field(description="The e-mail address that Pax8 writes to.")
    phone: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9+()/. -]{3,40}$")] = Field(
        description="The telephone number; Pax8 takes no contact without one."
    )
    types: tuple[Literal["Admin", "Billing", "Technical"], ...] = Field(
        min_length=1, max_length=3, description="What Pax8 writes to this contact about."
    )


def _namesakes(context: ToolContext, email: str) -> list[schemas.Contact]:
    """The company's contacts of this address."""
    company = company_of(context)
    listed = client_of(context).contacts(company.id)
    return [one for one in listed if one.email.casefold() == email.casefold()]


def _preview(context: ToolContext, arguments: AddContact) -> Preview:
    if _namesakes(context, arguments.email):
        raise TargetRefused(f"{arguments.email} is a contact of {context.company.name} in {LABEL} already.")
    name = f"{arguments.first_name} {arguments.last_name}"
    return Preview(
        title=f"Add {name} as a contact in {LABEL}",
        target=f"{context.company.name} ({LABEL})",
        changes=(
            Change("Contact", "", f"{name}, {arguments.email}, {arguments.phone}"),
            Change("For", "", ", ".join(dict.fromkeys(arguments.types))),
        ),
        seen_by=f"{context.organization.name}; {LABEL} writes to {arguments.email} about what the contact is for.",
        undo=UNDO,
        target_state={"company": ownership(context), "email": arguments.email, "known": False},
        sets={"known": True},
        evidence=("The company's contacts were read just now; none has this address.",),
    )


def _search(context: ToolContext, arguments: AddContact, _: JsonValue) -> Outcome:
    found = _namesakes(context, arguments.email)
    if not found:
        return Outcome("absent", "No contact of this address is there.")
    return Outcome("found", f"{counted(len(found), 'contact')} of this address is there.", _record(found[0]))


def _record(contact: schemas.Contact) -> ExternalRecord | None:
    return ExternalRecord("pax8_contact", contact.id) if contact.id else None


@tool(
    name="pax8.add_contact",
    label="Add a contact in Pax8",
    description="Add somebody of this company to whom Pax8 writes, such as about billing.",
    arguments=AddContact,
    title=lambda arguments: f"Add {arguments.first_name} {arguments.last_name} as a contact in {LABEL}",
    category=Category.WRITE,
    risk=Risk.LOW,
    endpoints=(endpoints.COMPANY, endpoints.CONTACTS, endpoints.ADD_CONTACT),
    outcome=OutcomeStrategy.NATURAL,
    undo=UNDO,
    preview=_preview,
    search=_search,
)
def add_contact(context: ToolContext, arguments: AddContact) -> ToolResult:
    types: list[JsonValue] = [{"type": one, "primary": False} for one in dict.fromkeys(arguments.types)]
    body: dict[str, JsonValue] = {
        "firstName": arguments.first_name,
        "lastName": arguments.last_name,
        "email": arguments.email,
        "phone": arguments.phone,
        "types": types,
    }
    made = record_of(
        schemas.Contact,
        client_of(context).act(endpoints.ADD_CONTACT, body, companyId=company_id_of(context)),
        label=LABEL,
    )
    return ToolResult(
        content={"contact_id": made.id, "email": made.email or arguments.email},
        summary=f"{arguments.first_name} {arguments.last_name} is a contact in {LABEL}",
        written=_record(made),
    )
