"""Triggers out to files and in again, by the rules of the admin's forms: what cannot be saved there is refused here.

A file that says its triggers says all of them. One that is no longer said is removed, or switched off where it fired
before, as its runs refer to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from django.core.exceptions import ValidationError
from pydantic import JsonValue

from junto.tenants.actors import Actor
from junto.tenants.models import Company
from runbooks.conditions import Condition, pair_conditions
from runbooks.files import FileRefused, RunbookFile
from runbooks.inputs import InputDeclaration
from runbooks.lacking import asked_now
from runbooks.models import Runbook, Trigger
from runbooks.trigger_forms import OWN_FIELDS
from runbooks.triggers import (
    WITHOUT_TICKET,
    remove_trigger,
    save_trigger,
    switch_trigger,
    trigger_problems,
)
from runbooks.values import ValuesRefused, prefill, read_values
from signals.models import Board

Change = Literal["added", "changed", "removed", "switched off"]

_Place = TypeVar("_Place", Company, Board)


@dataclass(frozen=True)
class TriggerChange:
    """What reading a file in does to one trigger. `before` and `after` are the whole of it in words."""

    change: Change
    trigger: Trigger
    companies: tuple[Company, ...] = ()
    before: str = ""
    after: str = ""

    @property
    def words(self) -> str:
        """For the plan."""
        if self.change == "changed":
            return f"Trigger changed: {self.before} → {self.after}"
        kept = ", as its runs refer to it" if self.change == "switched off" else ""
        return f"Trigger {self.change}{kept}: {self.after or self.before}"


@dataclass(frozen=True)
class Places:
    """The companies and boards that a reader may name."""

    companies: tuple[Company, ...]
    boards: tuple[Board, ...]

    @classmethod
    def of(cls, actor: Actor) -> Places:
        """Those the actor sees."""
        return cls(tuple(Company.objects.visible_to(actor)), tuple(Board.objects.visible_to(actor)))


def conditions_of(runbook: Runbook, *, reader: Actor | None = None) -> tuple[Condition, ...] | None:
    """The triggers for a file; None where one names a company that `reader` may not see."""
    stored = stored_triggers([runbook])[runbook.pk]
    if reader is not None and reader.companies is not None:
        named = {company.pk for trigger in stored for company in trigger.companies.all()}
        if not named <= {company.pk for company in Company.objects.visible_to(reader)}:
            return None
    declared = asked_now(runbook)
    return tuple(_condition(trigger, declared) for trigger in stored)


def stored_triggers(runbooks: Sequence[Runbook]) -> dict[object, list[Trigger]]:
    """All triggers of some runbooks of one organization, by runbook, in two queries."""
    found: dict[object, list[Trigger]] = {row.pk: [] for row in runbooks}
    if runbooks:
        rows = Trigger.objects.for_organization(runbooks[0].organization).filter(runbook__in=runbooks)
        for trigger in rows.select_related("board").prefetch_related("companies"):
            found[trigger.runbook_id].append(trigger)
    return found


@dataclass(frozen=True)
class Reading:
    """The triggers that a file says beside those that its runbook has. `runbook` is as it would be saved."""

    file: RunbookFile
    runbook: Runbook
    stored: Sequence[Trigger]

    def differs(self) -> bool:
        """Whether anything would be done; asks nothing about whether it can be."""
        return bool(self._pairs(asked_now(self.runbook)))

    def plan(self, places: Places) -> tuple[TriggerChange, ...]:
        """What would be done, in the order of the file.

        Raises:
            FileRefused: one of them could not be saved, with its line.
        """
        declared = asked_now(self.runbook)
        self._refuse_twice()
        changes = []
        for old, new in self._pairs(declared):
            before = self.stored[old] if old is not None else None
            change = self._saved(new, before, declared, places) if new is not None else None
            if change is None and before is not None:
                change = self._gone(before, declared)
            if change is not None:
                changes.append(change)
        return tuple(changes)

    def _pairs(self, declared: Sequence[InputDeclaration]) -> list[tuple[int | None, int | None]]:
        """Which stored trigger becomes which of the file; those that stay as they are, are left out."""
        if self.file.triggers is None:
            return []
        pairs = pair_conditions(
            [_filled(_condition(trigger, declared), declared) for trigger in self.stored],
            [_filled(condition, declared) for condition in self.file.triggers],
        )
        return [(old, new) for old, new in pairs if new is not None or not self._stays(old)]

    def _stays(self, old: int | None) -> bool:
        """Whether a trigger that the file does not say has nothing to lose: it is off, and its runs refer to it."""
        return old is not None and not self.stored[old].enabled and self.stored[old].firings.exists()

    def _refuse_twice(self) -> None:
        """A start by hand stands once for the same companies, board and values."""
        seen = set()
        for number, condition in enumerate(self.file.triggers or ()):
            if condition.kind == Trigger.Kind.MANUAL and condition.reach in seen:
                raise self._refusal(number, "kind", "the file says this start by hand twice.")
            seen.add(condition.reach)

    def _gone(self, before: Trigger, declared: Sequence[InputDeclaration]) -> TriggerChange:
        change: Change = "switched off" if before.firings.exists() else "removed"
        return TriggerChange(change, before, before=_words(before, _condition(before, declared)))

    def _saved(
        self, number: int, before: Trigger | None, declared: Sequence[InputDeclaration], places: Places
    ) -> TriggerChange:
        """The trigger as it would be saved, checked as the admin's form checks it."""
        condition = _filled((self.file.triggers or ())[number], declared)
        old_words = _words(before, _condition(before, declared)) if before else ""
        trigger = before or Trigger(kind=condition.kind)
        trigger.organization, trigger.runbook = self.runbook.organization, self.runbook
        for name in OWN_FIELDS:
            setattr(trigger, name, getattr(condition, name))
        trigger.enabled, trigger.inputs = condition.enabled, dict(condition.inputs)
        trigger.board = self._board(number, condition, places)
        companies = tuple(self._company(number, place, places) for place in range(len(condition.companies)))
        self._check(number, trigger, companies, {each.name for each in declared})
        said = replace(condition, inputs=trigger.inputs)
        return TriggerChange(
            "changed" if before else "added", trigger, companies, before=old_words, after=_words(trigger, said)
        )

    def _check(self, number: int, trigger: Trigger, companies: Iterable[Company], declared: set[str]) -> None:
        """Raises FileRefused for the first thing that keeps it from being saved."""
        unknown = next((name for name in (self.file.triggers or ())[number].inputs if name not in declared), "")
        if unknown:
            number_in_force = self.runbook.published_number
            where = f"version {number_in_force}, which is in force, asks" if number_in_force else "the runbook asks"
            raise self._refusal(number, f"inputs.{unknown}", f"{where} for no input {unknown}.")
        try:
            trigger.full_clean(exclude=["organization", "runbook"])
        except ValidationError as problem:
            name, messages = next(iter(problem.message_dict.items()))
            raise self._refusal(number, name, " ".join(messages)) from problem
        for name, words in trigger_problems(trigger, list(companies)).items():
            raise self._refusal(number, name, words)

    def _company(self, number: int, place: int, places: Places) -> Company:
        name = (self.file.triggers or ())[number].companies[place]
        return self._named(number, f"companies.{place}", "company", name, places.companies)

    def _board(self, number: int, condition: Condition, places: Places) -> Board | None:
        return self._named(number, "board", "board", condition.board, places.boards) if condition.board else None

    def _named(self, number: int, field: str, what: str, name: str, rows: Iterable[_Place]) -> _Place:
        """The one row of that name. Raises FileRefused where there is none, or where it cannot be told which."""
        alike = [row for row in rows if row.name.casefold() == name.casefold()]
        exact = [row for row in alike if row.name == name] or alike
        if len(exact) > 1:
            raise self._refusal(number, field, f"there are {len(exact)} called {name}, and it cannot be told which.")
        if not exact:
            raise self._refusal(number, field, f"there is no {what} called {name}.")
        return exact[0]

    def _refusal(self, number: int, field: str, words: str) -> FileRefused:
        name = field.partition(".")[0]
        return FileRefused(self.file.line_of_trigger(number, field), f"Trigger {number + 1} {name}: {words}")


def apply_changes(*, actor: Actor, runbook: Runbook, changes: Iterable[TriggerChange]) -> None:
    """Do what was planned to the triggers of a runbook that is saved.

    Raises:
        PermissionDenied: `actor` may not author the runbook.
        ValidationError: one of them cannot be saved after all.
    """
    for each in changes:
        each.trigger.runbook = runbook
        if each.change == "removed":
            remove_trigger(actor=actor, trigger=each.trigger)
        elif each.change == "switched off":
            switch_trigger(actor=actor, trigger=each.trigger, enabled=False)
        else:
            save_trigger(actor=actor, trigger=each.trigger, companies=each.companies)


def _condition(trigger: Trigger, declared: Iterable[InputDeclaration]) -> Condition:
    """A stored trigger as a file says it. Values that are no longer asked for are left out."""
    asked = {each.name for each in declared}
    return Condition(
        kind=str(trigger.kind),
        type=trigger.type,
        subtype=trigger.subtype,
        alert_type=trigger.alert_type,
        cron=trigger.cron,
        time_zone=trigger.time_zone,
        grace_minutes=trigger.grace_minutes,
        companies=tuple(sorted(company.name for company in trigger.companies.all())),
        board=trigger.board.name if trigger.board else "",
        inputs={name: value for name, value in trigger.inputs.items() if name in asked},
        enabled=trigger.enabled,
    )


def _filled(condition: Condition, declared: Sequence[InputDeclaration]) -> Condition:
    """The same with defaults and types as its form gives them; values that cannot be read stay as they are."""
    if condition.kind not in WITHOUT_TICKET:
        return condition
    optional = [each.model_copy(update={"required": False}) for each in declared]
    given: Mapping[str, JsonValue] = {**prefill(declared, None), **condition.inputs}
    try:
        return replace(condition, inputs=read_values(optional, given))
    except ValuesRefused:
        return replace(condition, inputs=given)


def _words(trigger: Trigger, condition: Condition) -> str:
    """All of a trigger in words."""
    parts = [trigger.words]
    if condition.kind == Trigger.Kind.SCHEDULE:
        parts[0] += f", late by at most {condition.grace_minutes} minutes"
    if condition.inputs:
        parts.append(f"with {', '.join(f'{name} = {value}' for name, value in condition.inputs.items())}")
    if condition.companies:
        parts.append(f"for {', '.join(condition.companies)}")
    if condition.board:
        parts.append(f"on the board {condition.board}")
    return ", ".join(parts) if condition.enabled else f"{', '.join(parts)}, switched off"
