"""Tools over runbooks: those that are published, as they are in force."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.db.models import Q
from pydantic import Field, JsonValue

from junto.desk.mcp.offers import LONGEST_NOTE, Asked, Id, Offer, Told, clip
from junto.desk.mcp.pages import missing
from junto.tenants.actors import Actor
from runbooks.models import Runbook
from runbooks.querysets import RunbookQuerySet
from runbooks.versions import PublishedVersion, published_versions

MOST_RUNBOOKS = 50
MOST_WORDS = 8
#: Characters of one page of a runbook's text.
PAGE_CHARACTERS = 20_000


class FindRunbooks(Asked):
    """Every filter narrows down; left out, it says nothing."""

    query: Annotated[str, Field(max_length=200, description="Words that all occur in title, description or text.")] = ""
    company: Annotated[
        Id | None, Field(description="Those that count for this company: its own, and those of all companies.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=MOST_RUNBOOKS)] = 20
    skip: Annotated[int, Field(ge=0, le=10_000, description="`next_skip` of the answer before.")] = 0


class RunbookTold(Told):
    """A published runbook in a list."""

    id: UUID
    title: str
    description: str
    version: int
    category: str
    audience: Literal["ai", "hybrid", "human"]
    company_id: UUID | None = Field(description="None: for all companies.")
    published_at: datetime | None


class RunbooksTold(Told):
    """A page of runbooks, by title."""

    runbooks: list[RunbookTold]
    next_skip: int | None = Field(description="None: this was the last page.")


class ReadRunbook(Asked):
    """Which runbook, and from where in its text."""

    runbook: Id
    from_character: Annotated[int, Field(ge=0, le=10**9, description="`next_character` of the answer before.")] = 0


class RunbookRead(RunbookTold):
    """One runbook as it is in force. To read it starts nothing."""

    text: str = Field(description="Markdown; tools are mentioned as @vendor.verb_noun.")
    next_character: int | None = Field(description="None: the text ends here.")
    tools: list[str] = Field(description="The tools that it mentions.")
    inputs: list[dict[str, JsonValue]] = Field(description="What a run of it must be given.")
    on_success: str


def _published(actor: Actor) -> RunbookQuerySet:
    rows: RunbookQuerySet = Runbook.objects.visible_to(actor)
    return rows.filter(status=Runbook.Status.PUBLISHED).select_related("company")


def _find(actor: Actor, asked: FindRunbooks) -> RunbooksTold:
    rows = _published(actor).saying(asked.query.split()[:MOST_WORDS]).by_shown_title()
    if asked.company is not None:
        rows = rows.filter(Q(company=None) | Q(company_id=asked.company))
    found = list(rows[asked.skip : asked.skip + asked.limit + 1])
    page = found[: asked.limit]
    versions = published_versions(page)
    told = [RunbookTold(**_facts(versions[row.pk])) for row in page if row.pk in versions]
    return RunbooksTold(runbooks=told, next_skip=asked.skip + asked.limit if len(found) > asked.limit else None)


def _read(actor: Actor, asked: ReadRunbook) -> RunbookRead:
    row = _published(actor).filter(pk=asked.runbook).first()
    version = published_versions([row]).get(row.pk) if row else None
    if version is None:
        raise missing("published runbook", asked.runbook, "Take the `id` of one that find_runbooks finds.")
    end = asked.from_character + PAGE_CHARACTERS
    return RunbookRead(
        **_facts(version),
        text=version.body[asked.from_character : end],
        next_character=end if len(version.body) > end else None,
        tools=sorted(version.document.tools),
        inputs=[one.model_dump(mode="json") for one in version.inputs],
        on_success=version.on_success,
    )


def _facts(version: PublishedVersion) -> dict[str, object]:
    return {
        "id": version.runbook_id,
        "title": version.title,
        "description": clip(version.description, LONGEST_NOTE),
        "version": version.number,
        "category": version.category,
        "audience": version.audience,
        "company_id": version.company_id,
        "published_at": version.published_at,
    }


FIND_RUNBOOKS = Offer(
    name="find_runbooks",
    title="Find runbooks",
    description="The organization's published runbooks: what it does when something happens.",
    scope="runbooks:read",
    asked=FindRunbooks,
    told=RunbooksTold,
    answer=_find,
    foreign=False,
)
READ_RUNBOOK = Offer(
    name="read_runbook",
    title="Read a runbook",
    description="One published runbook with its text, as it is in force.",
    scope="runbooks:read",
    asked=ReadRunbook,
    told=RunbookRead,
    answer=_read,
    foreign=False,
)
