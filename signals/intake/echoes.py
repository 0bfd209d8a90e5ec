"""What we wrote ourselves and now comes back: it is stored like all else, and is no news to anybody.

An action that ran leaves the id of what it wrote (`ExternalRef`). A webhook may be faster than that: until the id is
known, a note or time entry is ours when its text is exactly the one an action of ours sends to this ticket. A changed
field is ours when its new value is the one that such an action set since the revision before.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from approvals.models import Action
from approvals.previews import StoredPreview
from integrations.marks import without_marks
from integrations.models import NOTE_KIND, TIME_KIND, Connection, ExternalRef
from signals.querysets import TIME_NOTE

#: Arguments of tools that become a note's text.
_TEXTS = ("text", "notes", "description")
#: So long an action's writing may take to come back.
COMES_BACK = timedelta(days=1)
#: How far the source's clock may be off ours.
CLOCKS = timedelta(minutes=1)

_RAN = (Action.State.CLAIMED, Action.State.SUCCEEDED, Action.State.UNKNOWN, Action.State.SETTLED)
#: Columns that an action may set, by what a preview calls the new value.
_FIELDS = frozenset({"source_status", "priority", "type", "subtype", "item", "assignee", "subject"})
#: Columns that follow from those by the source's own rules.
_FOLLOWS = frozenset({"closed_at_source", "state_reason"})


@dataclass(frozen=True)
class _Writing:
    """One write of ours to a ticket: when, the texts it sent, the values it set, and whether its id is known."""

    action_id: uuid.UUID
    claimed_at: datetime
    texts: frozenset[str]
    values: frozenset[str]
    known: bool


@dataclass(frozen=True)
class Echoes:
    """What we wrote to some tickets lately."""

    connection: Connection
    by_subject: Mapping[str, tuple[_Writing, ...]]

    @classmethod
    def read(cls, connection: Connection, subjects: Collection[str]) -> Echoes:
        """What stands on these subjects; two queries, or one where nothing does."""
        found: dict[str, list[_Writing]] = defaultdict(list)
        since = timezone.now() - COMES_BACK
        actions = Action.objects.for_organization(connection.organization).filter(
            origin__subject__in=subjects, state__in=_RAN, claimed_at__gte=since
        )
        rows = list(
            actions.exclude(category="read").values_list("pk", "origin__subject", "claimed_at", "arguments", "preview")
        )
        known = set()
        if rows:
            references = ExternalRef.objects.for_organization(connection.organization)
            known = set(
                references.filter(connection=connection, action_id__in=[row[0] for row in rows]).values_list(
                    "action_id", flat=True
                )
            )
        for pk, subject, claimed_at, arguments, preview in rows:
            found[subject].append(
                _Writing(pk, claimed_at, sent_texts(arguments), _new_values(preview), known=pk in known)
            )
        return cls(connection, {subject: tuple(writings) for subject, writings in found.items()})

    def wrote(self, subject: str) -> bool:
        """Whether anything of ours was written on it."""
        return subject in self.by_subject

    def is_field(self, subject: str, changed: Mapping[str, object], *, since: datetime) -> bool:
        """Whether all that changed on a ticket since its revision of `since` is what we set."""
        asked = {name: value for name, value in changed.items() if name not in _FOLLOWS}
        if not asked or not set(asked) <= _FIELDS:
            return False
        recent = [one for one in self.by_subject.get(subject, ()) if one.claimed_at >= since - CLOCKS]
        values = {value for one in recent for value in one.values}
        return all(str(value).casefold() in values for value in asked.values())

    def others(self, new: Mapping[str, Mapping[str, str]]) -> set[str]:
        """The subjects that have a new note which we did not write. `new`: subject -> id -> text. At most one query."""
        asked = {note_id: kind_and_id(note_id) for notes in new.values() for note_id in notes}
        known = self._referred(set(asked.values())) if asked else set()
        return {
            subject
            for subject, notes in new.items()
            if self._strange(subject, {each: text for each, text in notes.items() if asked[each] not in known})
        }

    def _strange(self, subject: str, notes: Mapping[str, str]) -> bool:
        """Whether one of the notes is none that an action is writing this very moment. An action writes one note."""
        waiting = [one for one in self.by_subject.get(subject, ()) if not one.known]
        for text in notes.values():
            match = next((one for one in waiting if plain(text) in one.texts), None)
            if match is None:
                return True
            waiting.remove(match)
        return False

    def _referred(self, references: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        rows = ExternalRef.objects.for_organization(self.connection.organization).filter(
            connection=self.connection,
            kind__in=(NOTE_KIND, TIME_KIND),
            external_id__in={each[1] for each in references},
        )
        return set(rows.values_list("kind", "external_id"))


def kind_and_id(note_id: str) -> tuple[str, str]:
    """The kind and id that `ExternalRef` knows a note of a source's list by."""
    if note_id.startswith(TIME_NOTE):
        return TIME_KIND, note_id.removeprefix(TIME_NOTE)
    return NOTE_KIND, note_id


def sent_texts(arguments: object) -> frozenset[str]:
    """What an action of these arguments writes into a ticket's notes, as `plain` leaves it."""
    given = arguments if isinstance(arguments, dict) else {}
    return frozenset(plain(str(given[name])) for name in _TEXTS if given.get(name))


def _new_values(preview: object) -> frozenset[str]:
    """What the card showed as the values afterwards."""
    return frozenset(after.casefold() for _, _, after in StoredPreview.model_validate(preview or {}).changes if after)


def plain(text: str) -> str:
    """A text without our marks, and with all white space alike."""
    return " ".join(without_marks(text).split())
