"""The tools that write documents down. The vendor takes a document in three requests, and an action sends one: a
document is created empty, gets its parts one by one, and is published. Until then it is a draft.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.itglue import endpoints, schemas
from integrations.itglue.targets import Id, client_of, document_of, organization_id_of, own, ownership
from integrations.namesakes import outcome_by_name
from integrations.texts import plain, redacted
from integrations.tools import (
    Category,
    Change,
    DefaultPolicy,
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
from integrations.wording import counted, day, several_lines, single_line
from junto.markdown import render_inert

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=150), single_line]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=12_000), several_lines]


class CreateDocument(ToolArguments):
    name: Title = Field(description="The document's name.")


class AddDocumentSection(ToolArguments):
    document_id: Id = Field(description="Id of the document (create_document or list_documents).")
    text: Body = Field(description="What is added at its end, in Markdown: paragraphs, lists, tables. No passwords.")


class PublishDocument(ToolArguments):
    document_id: Id = Field(description="Id of the document (list_documents).")


def _namesakes(context: ToolContext, name: str) -> list[schemas.Document]:
    """The company's documents of exactly this name; the vendor's filter is looked at once more."""
    found = own(context, client_of(context).documents(organization_id_of(context), name=name))
    return [one for one in found if one.name == name]


def _preview_creation(context: ToolContext, arguments: CreateDocument) -> Preview:
    alike = sorted(one.id for one in _namesakes(context, arguments.name))
    return Preview(
        title=f"Create the document “{arguments.name}”",
        target=f"A new document of {context.company.name}",
        changes=(Change("Name", "", arguments.name), Change("State", "", "draft, without text")),
        seen_by=f"{context.organization.name}; a draft is seen by whoever may edit documents.",
        undo="Delete the document in IT Glue.",
        target_state={"company": ownership(context), "namesakes": [*alike]},
        evidence=(
            "The company's documents were read just now.",
            *((f"{counted(len(alike), 'document')} of this name is there already.",) if alike else ()),
        ),
    )


def _search_creation(context: ToolContext, arguments: CreateDocument, before: JsonValue) -> Outcome:
    found = _namesakes(context, arguments.name)
    return outcome_by_name(before, [one.id for one in found], word="document")


@tool(
    name="itglue.create_document",
    label="Create a document",
    description="Create an empty draft of a document for this company in IT Glue. Text is added to it by"
    " add_document_section, and publish_document shows it.",
    arguments=CreateDocument,
    title=lambda arguments: f"Create the document “{arguments.name}”",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(endpoints.DOCUMENTS, endpoints.CREATE_DOCUMENT),
    outcome=OutcomeStrategy.OBSERVE,
    undo="Delete the document in IT Glue.",
    preview=_preview_creation,
    search=_search_creation,
)
def create_document(context: ToolContext, arguments: CreateDocument) -> ToolResult:
    made = client_of(context).write(
        schemas.Document,
        endpoints.CREATE_DOCUMENT,
        {"data": {"type": "documents", "attributes": {"name": arguments.name}}},
        organization_id=organization_id_of(context),
    )
    return ToolResult(
        content={"document_id": made.id, "name": made.name or arguments.name},
        summary=f"Document {made.id} is created",
        written=ExternalRecord("document", str(made.id)),
    )


def _html(text: str) -> str:
    """What is sent: the Markdown as plain HTML, without links, pictures and attributes."""
    return str(render_inert(text)).strip()


def _preview_section(context: ToolContext, arguments: AddDocumentSection) -> Preview:
    document = document_of(context, arguments.document_id)
    sections = client_of(context).sections(document.id)
    published = f"published {day(document.published_at)}" if document.published_at else "a draft"
    warned = redacted(arguments.text) != arguments.text
    return Preview(
        title=f"Add to the document “{document.name}”",
        target=document.name,
        changes=(Change("Added at the end", "", plain(_html(arguments.text))),),
        seen_by=f"{context.organization.name}; the document is {published}, and is read anew once it is published.",
        undo="Delete the last part of the document in IT Glue.",
        target_state={
            "company": ownership(context),
            "document": {"id": document.id, "name": document.name},
            "parts": [*sorted(one.id for one in sections)],
        },
        evidence=(
            f"The document was read just now; it has {counted(len(sections), 'part').lower()}.",
            *(("Something in the text looks like a password: documents are no place for one.",) if warned else ()),
        ),
    )


def _search_section(context: ToolContext, arguments: AddDocumentSection, before: JsonValue) -> Outcome:
    document = document_of(context, arguments.document_id)
    known = before.get("parts") if isinstance(before, dict) else None
    if not isinstance(known, list):
        return Outcome("unclear", "Which parts the document had before is not known.")
    wanted = plain(_html(arguments.text))
    for one in client_of(context).sections(document.id):
        if one.id not in known and plain(one.content) == wanted:
            record = ExternalRecord("document_section", str(one.id))
            return Outcome("found", "The document has a part with this text that was not there before.", record)
    return Outcome("absent", "The document has no part with this text that was not there before.")


@tool(
    name="itglue.add_document_section",
    label="Add to a document",
    description="Add text at the end of one document of this company in IT Glue.",
    arguments=AddDocumentSection,
    title=lambda arguments: f"Add to document {arguments.document_id}",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(endpoints.DOCUMENT, endpoints.SECTIONS, endpoints.ADD_SECTION),
    outcome=OutcomeStrategy.OBSERVE,
    undo="Delete the part in IT Glue.",
    preview=_preview_section,
    search=_search_section,
)
def add_document_section(context: ToolContext, arguments: AddDocumentSection) -> ToolResult:
    document = document_of(context, arguments.document_id)
    made = client_of(context).write(
        schemas.Section,
        endpoints.ADD_SECTION,
        {
            "data": {
                "type": "document-sections",
                "attributes": {"resource-type": "Document::Text", "content": _html(arguments.text)},
            }
        },
        document_id=document.id,
    )
    return ToolResult(
        content={"document_id": document.id, "section_id": made.id},
        summary=f"“{document.name}” has one part more",
        written=ExternalRecord("document_section", str(made.id)),
    )


def _preview_publication(context: ToolContext, arguments: PublishDocument) -> Preview:
    document = document_of(context, arguments.document_id)
    sections = client_of(context).sections(document.id)
    return Preview(
        title=f"Publish the document “{document.name}”",
        target=document.name,
        changes=(
            Change("Published", document.published_at or "never", "with what it holds now"),
            Change("Holds", "", counted(len(sections), "part")),
        ),
        seen_by=f"Everybody at {context.organization.name} who sees the company's documents, and the client where they"
        " are shared with them.",
        undo="Set it back to a former version in IT Glue, or archive it.",
        target_state={
            "company": ownership(context),
            "document": {"id": document.id, "name": document.name},
            "published": document.published_at or None,
            "parts": [*sorted(one.id for one in sections)],
        },
        evidence=("The document and its parts were read just now.",),
    )


def _search_publication(context: ToolContext, arguments: PublishDocument, before: JsonValue) -> Outcome:
    document = document_of(context, arguments.document_id)
    was = before.get("published") if isinstance(before, dict) else None
    if (document.published_at or None) != was and document.published_at:
        return Outcome("found", f"The document was published at {document.published_at}.")
    if isinstance(before, dict) and (document.published_at or None) == was:
        return Outcome("absent", "The document's publication is as it was before.")
    return Outcome("unclear", "When the document was published cannot be told.")


@tool(
    name="itglue.publish_document",
    label="Publish a document",
    description="Publish one document of this company in IT Glue with what it holds now.",
    arguments=PublishDocument,
    title=lambda arguments: f"Publish document {arguments.document_id}",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(endpoints.DOCUMENT, endpoints.SECTIONS, endpoints.PUBLISH_DOCUMENT),
    outcome=OutcomeStrategy.NATURAL,
    undo="Set it back to a former version in IT Glue, or archive it.",
    preview=_preview_publication,
    search=_search_publication,
)
def publish_document(context: ToolContext, arguments: PublishDocument) -> ToolResult:
    document = document_of(context, arguments.document_id)
    client_of(context).write(
        schemas.Document,
        endpoints.PUBLISH_DOCUMENT,
        {"data": {"type": "documents", "attributes": {}}},
        document_id=document.id,
    )
    return ToolResult(
        content={"document_id": document.id, "name": document.name}, summary=f"“{document.name}” is published"
    )
