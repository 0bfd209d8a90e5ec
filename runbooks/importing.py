"""Runbooks out to files and in again. Reading in makes drafts and never publishes; a plan says first what would change.

A file is recognised by its `key`, so reading the same files again changes nothing. Triggers are no part of a version:
those that a file says are saved at once, as in the admin.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from junto.audit.services import record
from junto.canonical import digest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, PermissionDenied, require
from runbooks.comparing import Differences, compare_contents
from runbooks.contents import Content
from runbooks.document import Problem
from runbooks.files import SUFFIX, FileRefused, RunbookFile, plain, read_file, write_file
from runbooks.guards import may_author, require_author, rows
from runbooks.models import Runbook, Trigger
from runbooks.publication import plan_publication
from runbooks.reading_triggers import Places, Reading, TriggerChange, apply_changes, conditions_of, stored_triggers
from runbooks.services import save_draft

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: Name -> text of some files; None for one that is no text in UTF-8.
Files = Mapping[str, str | None]
Verdict = Literal["new", "changed", "unchanged", "refused"]


class PlanMoved(Exception):
    """Something changed since the plan was shown."""


@dataclass(frozen=True)
class Entry:
    """What reading in one file would do. `line` is that of what is wrong; `problems` keep it from being published.

    `differences` is None where the draft stays as it is. `version` is the one in force for which changed `triggers`
    count at once; None where there is none.
    """

    name: str
    verdict: Verdict
    title: str = ""
    line: int = 0
    message: str = ""
    problems: tuple[str, ...] = ()
    differences: Differences | None = None
    triggers: tuple[TriggerChange, ...] = ()
    version: int | None = None
    runbook_id: uuid.UUID | None = None
    file: RunbookFile | None = None


@dataclass(frozen=True)
class ImportPlan:
    """All files, in the order of their names. Its `stamp` changes when it would do something else."""

    entries: tuple[Entry, ...]
    stamp: str

    @property
    def does_something(self) -> bool:
        """Whether anything would be saved."""
        return any(entry.verdict in ("new", "changed") for entry in self.entries)

    @property
    def triggers_change(self) -> int:
        """How many triggers would be added, changed, removed or switched off."""
        return sum(len(entry.triggers) for entry in self.entries)

    @property
    def trigger_words(self) -> str:
        """What became of the triggers, in words; empty where nothing did."""
        count = self.triggers_change
        return f"{count} trigger{'' if count == 1 else 's'} changed." if count else ""

    def count(self, verdict: Verdict) -> int:
        """How many files have this verdict."""
        return sum(entry.verdict == verdict for entry in self.entries)

    @property
    def words(self) -> str:
        """How many of each, in words."""
        verdicts: tuple[Verdict, ...] = ("new", "changed", "unchanged", "refused")
        return ", ".join(f"{self.count(verdict)} {verdict}" for verdict in verdicts if self.count(verdict)) or "no file"


def stable_key(runbook: Runbook) -> str:
    """What names a runbook in files: the key it was read in with, else its id."""
    return runbook.key or str(runbook.pk)


def file_name(runbook: Runbook) -> str:
    """A name that tells what it is and belongs to no other: `reset-a-password-1f0c9a2b.md`."""
    return f"{slugify(runbook.title)[:60] or 'runbook'}-{runbook.pk.hex[:8]}{SUFFIX}"


def as_file(runbook: Runbook, *, reader: Actor | None = None) -> str:
    """The newest text of a runbook, published or not, and its triggers, as a file.

    Triggers for companies that `reader` may not see are not told: the file then says nothing about triggers.
    """
    original = runbook.forked_from
    triggers = conditions_of(runbook, reader=reader)
    return write_file(
        RunbookFile(
            key=stable_key(runbook),
            company=runbook.company.name if runbook.company else "",
            fork_of=stable_key(original) if original else "",
            fork_version=runbook.forked_number if original else None,
            content=Content.of(runbook),
            body_line=0,
            triggers=triggers,
        ),
        remark="" if triggers is not None else "Its triggers are left out: some are for companies that you do not see.",
    )


def plan_import(*, actor: Actor, files: Files) -> ImportPlan:
    """What reading in these files would do; changes nothing.

    Raises:
        PermissionDenied: `actor` may write runbooks for no company at all.
    """
    if not actor.can_anywhere(Permission.AUTHOR_RUNBOOKS):
        require(actor, Permission.AUTHOR_RUNBOOKS)
    read = [_read(name, text) for name, text in sorted(files.items())]
    shelf = _Shelf.of(actor, [entry.file for entry in read if entry.file])
    judged: dict[str, Entry] = {}
    batch = _Batch(forks=frozenset(entry.file.key for entry in read if entry.file and entry.file.fork_of))
    for entry in sorted(read, key=_originals_first):
        judged[entry.name] = _judge(entry, entry.file, shelf, batch) if entry.file else entry
    entries = [judged[entry.name] for entry in read]
    return ImportPlan(tuple(entries), _stamp(entries, shelf))


@transaction.atomic
def apply_import(*, actor: Actor, files: Files, stamp: str | None = None) -> ImportPlan:
    """Save what the plan says, as drafts: files that are refused are left out. `stamp` = of the plan that was shown.

    Raises:
        PermissionDenied: `actor` may write runbooks for no company at all.
        PlanMoved: it would no longer do what was shown; nothing is saved.
    """
    plan = plan_import(actor=actor, files=files)
    if stamp is not None and plan.stamp != stamp:
        raise PlanMoved("Something changed since this was shown. Look again.")
    shelf = _Shelf.of(actor, [entry.file for entry in plan.entries if entry.file])
    saved: list[str] = []
    for entry in sorted(plan.entries, key=_originals_first):
        if entry.file is not None and entry.verdict in ("new", "changed"):
            try:
                runbook = _save(actor, entry, shelf.draft(entry.file))
            except ValidationError as error:
                raise PlanMoved(f"{entry.name} cannot be saved after all: {' '.join(error.messages)}") from error
            shelf.add(runbook)
            saved.append(stable_key(runbook))
    if saved:
        record(actor, "runbook.imported", actor.organization, {"keys": saved})
    return plan


def _save(actor: Actor, entry: Entry, runbook: Runbook) -> Runbook:
    """Save what the entry changes: the draft, unless it says what is there already, and triggers."""
    if entry.verdict == "new" or entry.differences is not None:
        save_draft(actor=actor, runbook=runbook, reason=f"Read from {entry.name}"[:100])
    apply_changes(actor=actor, runbook=runbook, changes=entry.triggers)
    return runbook


@dataclass
class _Batch:
    """What is known of the files: the keys of `forks`, and of those judged so far where each key stood first, which
    company the accepted ones are for (a folded name, empty = all), and the variants they make, by original and company.
    """

    forks: frozenset[str]
    names: dict[str, str] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    variants: dict[tuple[str, str], str] = field(default_factory=dict)

    def accept(self, file: RunbookFile) -> None:
        company = file.company.casefold()
        self.scopes[file.key] = company
        if file.fork_of:
            self.variants[file.fork_of, company] = file.key


@dataclass(frozen=True)
class _Shelf:
    """What the actor may see of the runbooks that some files name, by key, and the companies by name.

    `taken` are keys of runbooks that the actor may not see.
    """

    actor: Actor
    runbooks: dict[str, Runbook]
    triggers: Mapping[object, Sequence[Trigger]]
    companies: dict[str, Company]
    places: Places
    taken: frozenset[str]

    @classmethod
    def of(cls, actor: Actor, files: Iterable[RunbookFile]) -> _Shelf:
        keys = {key for file in files for key in (file.key, file.fork_of) if key}
        named = Q(key__in=keys) | Q(pk__in=[uuid.UUID(key) for key in keys if _ID.fullmatch(key)])
        visible = Runbook.objects.visible_to(actor).filter(named)
        runbooks = {stable_key(row): row for row in visible.select_related("company", "organization")}
        every = {stable_key(row) for row in rows(actor).filter(named).only("id", "key", "organization")}
        places = Places.of(actor)
        companies = {company.name.casefold(): company for company in places.companies}
        triggers = stored_triggers([*runbooks.values()])
        return cls(actor, runbooks, triggers, companies, places, frozenset(every - runbooks.keys()))

    def add(self, runbook: Runbook) -> None:
        self.runbooks[stable_key(runbook)] = runbook

    def company(self, file: RunbookFile) -> Company | None:
        """Raises KeyError for a company that is not there."""
        return self.companies[file.company.casefold()] if file.company else None

    def variant_of(self, original: Runbook, company: str) -> str:
        """The key of that company's stored variant of it; empty where there is none."""
        forks = rows(self.actor).filter(forked_from=original, company=self.companies[company])
        found = forks.order_by("created_at").first()
        return stable_key(found) if found else ""

    def draft(self, file: RunbookFile) -> Runbook:
        """The runbook as it would be saved. Raises KeyError for an unknown company or original."""
        runbook = self.runbooks.get(file.key)
        if runbook is None:
            original = self.runbooks[file.fork_of] if file.fork_of else None
            runbook = Runbook(
                organization=self.actor.organization,
                key=file.key,
                forked_from=original,
                forked_number=file.fork_version if original else None,
            )
        file.content.write_to(runbook)
        runbook.company = self.company(file)
        return runbook


def _originals_first(entry: Entry) -> bool:
    """A key to sort by: no fork is an original, so what none of them needs comes first."""
    return bool(entry.file and entry.file.fork_of)


def _read(name: str, text: str | None) -> Entry:
    if text is None:
        return Entry(name, "refused", line=1, message="This is no text in UTF-8.")
    try:
        file = read_file(text)
    except FileRefused as refusal:
        return Entry(name, "refused", line=refusal.line, message=refusal.message)
    return Entry(name, "new", title=file.content.title, file=file)


def _judge(entry: Entry, file: RunbookFile, shelf: _Shelf, batch: _Batch) -> Entry:
    """What becomes of a file that could be read, beside those that were judged before it."""
    first = batch.names.setdefault(file.key, entry.name)
    if first != entry.name:
        return _refuse(entry, file.line_of("key"), f"The key {file.key} stands in {first} already.")
    if wrong := _misplaced(file, shelf, batch):
        return _refuse(entry, *wrong)
    judged = _weigh(entry, file, shelf)
    if judged.verdict != "refused":
        batch.accept(file)
    return judged


def _weigh(entry: Entry, file: RunbookFile, shelf: _Shelf) -> Entry:
    """What becomes of a file that fits among the others."""
    stored = shelf.runbooks.get(file.key)
    trial = _trial(shelf, file, stored)
    reading = Reading(file, trial, shelf.triggers.get(trial.pk, ()))
    if stored is not None and _same(stored, file) and not reading.differs():
        return replace(entry, verdict="unchanged", runbook_id=stored.pk)
    if stored is not None and stored.status == Runbook.Status.ARCHIVED:
        return _refuse(entry, 1, "It is archived. Restore one of its versions first.")
    try:
        _check(shelf.actor, trial, stored)
        triggers = reading.plan(shelf.places)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        return _refuse(entry, file.line_of(name), f"{name}: {' '.join(messages)}")
    except PermissionDenied:
        place = file.company or "all companies"
        return _refuse(entry, file.line_of("company"), f"You may not write runbooks for {place}.")
    except FileRefused as refusal:
        return _refuse(entry, refusal.line, refusal.message)
    plan = plan_publication(actor=shelf.actor, runbook=trial)
    entry = replace(entry, triggers=triggers, problems=tuple(_in_file(problem, file) for problem in plan.problems))
    if stored is None:
        return replace(entry, verdict="new")
    return replace(
        entry,
        verdict="changed",
        differences=None if _same(stored, file) else compare_contents(Content.of(stored), file.content),
        version=stored.published_number if stored.status == Runbook.Status.PUBLISHED and triggers else None,
        runbook_id=stored.pk,
    )


def _misplaced(file: RunbookFile, shelf: _Shelf, batch: _Batch) -> tuple[int, str] | None:
    """The line and the reason why the file fits nowhere, if so."""
    if file.company and file.company.casefold() not in shelf.companies:
        return file.line_of("company"), f"There is no company called {file.company}."
    if file.key in shelf.taken:
        return file.line_of("key"), f"The key {file.key} is taken."
    if not file.fork_of or file.key in shelf.runbooks:
        return None
    return _no_fork(file, shelf, batch)


def _no_fork(file: RunbookFile, shelf: _Shelf, batch: _Batch) -> tuple[int, str] | None:
    """The line and the reason why a new file cannot be the fork that it says it is, if so."""
    line, original, company = file.line_of("fork_of"), shelf.runbooks.get(file.fork_of), file.company.casefold()
    scope = str(original.company_id or "") if original else None
    scope = batch.scopes.get(file.fork_of, scope)
    if scope is None and file.fork_of not in batch.forks:
        where = batch.names.get(file.fork_of)
        refused = f"Its original stands in {where}, which is refused."
        return line, refused if where else f"There is no runbook with the key {file.fork_of}."
    if not company or scope is None or scope:
        return line, "A fork is one company’s own variant of a runbook for all companies."
    other = batch.variants.get((file.fork_of, company)) or (original and shelf.variant_of(original, company))
    if other:
        return line, f"{file.company} has a variant of it already, with the key {other}."
    return None


def _in_file(problem: Problem, file: RunbookFile) -> str:
    """A problem of the text with its line in the file, where it has one."""
    return f"line {problem.line + file.body_line - 1}: {problem.message}" if problem.line else problem.message


def _trial(shelf: _Shelf, file: RunbookFile, stored: Runbook | None) -> Runbook:
    """The runbook as it would be saved; nothing is."""
    trial = Runbook(organization=shelf.actor.organization, company=shelf.company(file))
    if stored is not None:
        trial.pk = stored.pk
        trial.published_number, trial.published_record = stored.published_number, stored.published_record
    file.content.write_to(trial)
    return trial


def _check(actor: Actor, trial: Runbook, stored: Runbook | None) -> None:
    """Raises ValidationError or PermissionDenied where it could not be saved."""
    if stored is not None:
        require_author(actor, stored)
        if stored.company_id != trial.company_id and stored.scope_stays:
            raise ValidationError({"company": stored.scope_stays})
    if not may_author(actor, trial):
        require_author(actor, trial)
    trial.clean_fields(exclude=["id", "organization", "published_by", "forked_from"])
    trial.clean()


def _same(stored: Runbook, file: RunbookFile) -> bool:
    content = Content.of(stored)
    company = stored.company.name.casefold() if stored.company else ""
    return (replace(content, body=plain(content.body)), company) == (file.content, file.company.casefold())


def _refuse(entry: Entry, line: int, message: str) -> Entry:
    return replace(entry, verdict="refused", line=line, message=message)


def _stamp(entries: Iterable[Entry], shelf: _Shelf) -> str:
    """Over what would be done to which state of which runbook; files that are refused do nothing."""
    changed = {str(row.pk): row.changed_at.isoformat() for row in shelf.runbooks.values()}
    return digest(
        [
            [entry.name, entry.verdict, changed.get(str(entry.runbook_id), ""), [each.words for each in entry.triggers]]
            for entry in entries
            if entry.verdict != "refused"
        ]
    )
