"""The tools that write articles. An article is one record at Hudu: created whole, and added to by sending it whole."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused
from integrations.hudu import endpoints, schemas
from integrations.hudu.targets import Id, article_of, client_of, company_id_of, own, ownership
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
from integrations.wording import counted, several_lines, single_line
from junto.markdown import render_inert

LONGEST_CONTENT = 400_000
"""An article longer than this is not sent back whole."""

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=150), single_line]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=12_000), several_lines]
_WARNING = "Something in the text looks like a password: articles are no place for one."


class CreateArticle(ToolArguments):
    name: Title = Field(description="The article's name.")
    text: Body = Field(description="Its text in Markdown: paragraphs, lists, tables. No passwords.")


class AddToArticle(ToolArguments):
    article_id: Id = Field(description="Id of the article (list_articles).")
    text: Body = Field(description="What is added at its end, in Markdown: paragraphs, lists, tables. No passwords.")


def _html(text: str) -> str:
    """What is sent: the Markdown as plain HTML, without links, pictures and attributes."""
    return str(render_inert(text)).strip()


def _digest(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def _namesakes(context: ToolContext, name: str) -> list[schemas.Article]:
    """The company's articles of exactly this name; the vendor's filter is looked at once more."""
    found = own(context, client_of(context).articles(company_id_of(context), name=name))
    return [one for one in found if one.name == name]


def _preview_creation(context: ToolContext, arguments: CreateArticle) -> Preview:
    alike = sorted(one.id for one in _namesakes(context, arguments.name))
    warned = redacted(arguments.text) != arguments.text
    return Preview(
        title=f"Create the article “{arguments.name}”",
        target=f"A new article of {context.company.name}",
        changes=(Change("Name", "", arguments.name), Change("Text", "", plain(_html(arguments.text)))),
        seen_by=f"{context.organization.name}, and the client where Hudu shows them articles. No public link is made.",
        undo="Delete the article in Hudu.",
        target_state={"company": ownership(context), "namesakes": [*alike]},
        evidence=(
            "The company's articles were read just now.",
            *((f"{counted(len(alike), 'article')} of this name is there already.",) if alike else ()),
            *((_WARNING,) if warned else ()),
        ),
    )


def _search_creation(context: ToolContext, arguments: CreateArticle, before: JsonValue) -> Outcome:
    found = _namesakes(context, arguments.name)
    return outcome_by_name(before, [one.id for one in found], word="article")


@tool(
    name="hudu.create_article",
    label="Create an article",
    description="Create an article for this company in Hudu's knowledge base.",
    arguments=CreateArticle,
    title=lambda arguments: f"Create the article “{arguments.name}”",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(endpoints.ARTICLES, endpoints.CREATE_ARTICLE),
    outcome=OutcomeStrategy.OBSERVE,
    undo="Delete the article in Hudu.",
    preview=_preview_creation,
    search=_search_creation,
)
def create_article(context: ToolContext, arguments: CreateArticle) -> ToolResult:
    made = client_of(context).write_article(
        endpoints.CREATE_ARTICLE,
        {
            "name": arguments.name,
            "content": _html(arguments.text),
            "enable_sharing": False,
            "company_id": company_id_of(context),
        },
    )
    return ToolResult(
        content={"article_id": made.id, "name": made.name or arguments.name},
        summary=f"Article {made.id} is created",
        written=ExternalRecord("article", str(made.id)),
    )


def _whole(context: ToolContext, article_id: int) -> schemas.Article:
    """The article, when it is the company's and can be sent back whole. Raises TargetRefused."""
    found = article_of(context, article_id)
    if len(found.content) > LONGEST_CONTENT:
        raise TargetRefused(f"“{found.name}” is too long to be added to from here: open it in Hudu.")
    return found


def _preview_addition(context: ToolContext, arguments: AddToArticle) -> Preview:
    found = _whole(context, arguments.article_id)
    shared = " and everybody who has its public link" if found.enable_sharing else ""
    warned = redacted(arguments.text) != arguments.text
    return Preview(
        title=f"Add to the article “{found.name}”",
        target=found.name,
        changes=(Change("Added at the end", "", plain(_html(arguments.text))),),
        seen_by=f"{context.organization.name}{shared}, and the client where Hudu shows them articles.",
        undo="Take the last part of the article out again in Hudu.",
        target_state={
            "company": ownership(context),
            "article": {"id": found.id, "name": found.name},
            "content": _digest(found.content),
        },
        evidence=("The article was read just now; the rest of it stays as it is.", *((_WARNING,) if warned else ())),
    )


def _search_addition(context: ToolContext, arguments: AddToArticle, before: JsonValue) -> Outcome:
    found = _whole(context, arguments.article_id)
    former = before.get("content") if isinstance(before, dict) else None
    if _digest(found.content) == former:
        return Outcome("absent", f"“{found.name}” is as it was before.")
    added = _html(arguments.text)
    if found.content.endswith(added) and _digest(found.content.removesuffix(added).removesuffix("\n")) == former:
        return Outcome("found", f"“{found.name}” ends with what was sent.")
    return Outcome("unclear", f"“{found.name}” was changed by somebody else meanwhile, or Hudu wrote it differently.")


@tool(
    name="hudu.add_to_article",
    label="Add to an article",
    description="Add text at the end of one article of this company in Hudu's knowledge base.",
    arguments=AddToArticle,
    title=lambda arguments: f"Add to article {arguments.article_id}",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(endpoints.ARTICLE, endpoints.UPDATE_ARTICLE),
    outcome=OutcomeStrategy.NATURAL,
    undo="Take the last part of the article out again in Hudu.",
    preview=_preview_addition,
    search=_search_addition,
)
def add_to_article(context: ToolContext, arguments: AddToArticle) -> ToolResult:
    found = _whole(context, arguments.article_id)
    seen = context.seen.get("content") if isinstance(context.seen, dict) else None
    if seen is not None and seen != _digest(found.content):  # what somebody wrote a moment ago is not written over
        raise TargetRefused(f"“{found.name}” was changed by somebody else just now: look at it once more.")
    changed = client_of(context).write_article(
        endpoints.UPDATE_ARTICLE,
        {"name": found.name, "content": f"{found.content}\n{_html(arguments.text)}"},
        id=found.id,
    )
    return ToolResult(
        content={"article_id": changed.id, "name": changed.name or found.name}, summary=f"“{found.name}” is added to"
    )
