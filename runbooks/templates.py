"""The library of ready-made runbooks that comes with Junto, and the drafts that an organization makes of them.

Each is a file in `library/`, as `bin/junto runbooks export` writes them, and is known again by its key: what was added
once is never touched again, whatever became of it since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from django.db import transaction

from integrations.tools import OWN_VENDOR, registry
from integrations.vendors import VENDORS
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from runbooks.contents import Content
from runbooks.document import parse
from runbooks.files import SUFFIX, RunbookFile, plain, read_file
from runbooks.importing import apply_import
from runbooks.models import Runbook
from runbooks.publication import connected_vendors
from runbooks.querysets import RunbookQuerySet

FOLDER: Final = Path(__file__).parent / "library"


class NoSuchTemplate(LookupError):
    """The library has none of this name; the message names it."""


@dataclass(frozen=True)
class Template:
    """One of them. `name` is its file's without the ending; `tools` are those its text mentions, in order."""

    name: str
    text: str
    file: RunbookFile
    tools: tuple[str, ...]

    @property
    def content(self) -> Content:
        """What the runbook would say."""
        return self.file.content


@dataclass(frozen=True)
class Offer:
    """A template as one organization finds it.

    `runbook` is what was made of it, if anything and if the reader may see it; `added` says whether anything was.
    `missing` are tools that Junto does not have, `unconnected` the labels of systems that are not connected.
    """

    template: Template
    missing: tuple[str, ...]
    unconnected: tuple[str, ...]
    added: bool
    runbook: Runbook | None

    @property
    def is_ready(self) -> bool:
        """Whether everything that its text mentions is there, so that it can be published as it is."""
        return not self.missing and not self.unconnected

    @property
    def missing_systems(self) -> tuple[str, ...]:
        """What the systems are called that the missing tools belong to."""
        return tuple(dict.fromkeys(_label(tool.partition(".")[0]) for tool in self.missing))

    @property
    def differs(self) -> bool:
        """Whether the organization's own runbook says something else by now."""
        if self.runbook is None:
            return False
        own = Content.of(self.runbook)
        return replace(own, body=plain(own.body)) != self.template.content


@cache
def templates() -> Mapping[str, Template]:
    """All of them by name, in the order of their categories and titles.

    Raises:
        FileRefused: a file of the library cannot be read, which is a fault of this installation.
    """
    read = [_read(path) for path in FOLDER.glob(f"*{SUFFIX}")]
    order = {str(category): place for place, category in enumerate(Runbook.Category)}
    read.sort(key=lambda each: (order[each.content.category], each.content.title))
    return {each.name: each for each in read}


def template(name: str) -> Template:
    """The template of this name. Raises NoSuchTemplate."""
    try:
        return templates()[name]
    except KeyError:
        raise NoSuchTemplate(f"There is no template called {name}.") from None


def offers(*, organization: Organization, reader: Actor | None = None) -> tuple[Offer, ...]:
    """The library as an organization finds it; without a `reader`, who sees only their own rows, all of its rows."""
    rows: RunbookQuerySet = Runbook.objects.for_organization(organization)
    there = {row.key: row for row in rows.filter(key__in=_keys(templates().values())).select_related("company")}
    visible = there
    if reader is not None:
        ids = {row.pk for row in Runbook.objects.visible_to(reader).filter(key__in=there).only("id", "organization")}
        visible = {key: row for key, row in there.items() if row.pk in ids}
    connected = connected_vendors(organization)
    return tuple(
        Offer(
            template=each,
            missing=missing_tools(each),
            unconnected=_unconnected(each, connected),
            added=each.file.key in there,
            runbook=visible.get(each.file.key),
        )
        for each in templates().values()
    )


def missing_tools(each: Template) -> tuple[str, ...]:
    """The tools that its text mentions and Junto does not have."""
    return tuple(name for name in each.tools if name not in registry)


@transaction.atomic
def add_templates(*, actor: Actor, names: Iterable[str]) -> tuple[Runbook, ...]:
    """Make drafts for all companies of those templates that were not added yet; the new drafts, by title.

    Raises:
        PermissionDenied: `actor` may not write runbooks for all companies.
        NoSuchTemplate: the library has no template of one of the names.
    """
    require(actor, Permission.AUTHOR_RUNBOOKS)
    # two people who add at once come one after the other
    Organization.objects.select_for_update().get(pk=actor.organization.pk)
    rows: RunbookQuerySet = Runbook.objects.for_organization(actor.organization)
    chosen = {each.file.key: each for each in map(template, names)}
    there = set(rows.filter(key__in=chosen).values_list("key", flat=True))
    files = {f"template {each.name}{SUFFIX}": each.text for key, each in chosen.items() if key not in there}
    apply_import(actor=actor, files=files)
    return tuple(rows.filter(key__in=chosen.keys() - there).order_by("title"))


def _read(path: Path) -> Template:
    text = path.read_text(encoding="utf-8")
    file = read_file(text)
    return Template(name=path.stem, text=text, file=file, tools=parse(file.content.body).tools)


def _keys(some: Iterable[Template]) -> list[str]:
    return [each.file.key for each in some]


def _label(system: str) -> str:
    return VENDORS[system].label if system in VENDORS else system


def _unconnected(each: Template, connected: Collection[str]) -> tuple[str, ...]:
    systems = dict.fromkeys(name.partition(".")[0] for name in each.tools if name in registry)
    return tuple(VENDORS[slug].label for slug in systems if slug != OWN_VENDOR and slug not in connected)
