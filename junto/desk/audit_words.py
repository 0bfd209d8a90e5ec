"""Entries of the audit log as people read them: what happened in words, on what, with a way there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.urls import reverse

from agent.models import AgentSession
from approvals.models import Action, Grant, Origin
from integrations.llm.fencing import show_escaped
from integrations.models import Connection
from junto.audit.models import AuditEntry
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership
from junto.tenants.permissions import Permission
from runbooks.models import Runbook
from signals.models import Signal

#: What is said otherwise than by the parts of its verb.
WORDS = {
    "action.approved_by_one": "Action approved by one of two",
    "connection.made": "System connected",
    "connection.changed": "Connection changed",
    "connection.consented": "Consent for scripts given",
    "connection.consent_withdrawn": "Consent for scripts withdrawn",
    "company.consent_asked": "Company asked for consent",
    "company.consent_refused": "Company refused consent",
    "company.consented": "Company's consent seen",
    "connection.alerts_in": "Alerts of a connection become signals",
    "connection.alerts_out": "Alerts of a connection stay there",
    "connection.rotated": "Credentials of a connection replaced",
    "member.psa_member_changed": "Member's name in the PSA changed",
    "origin.stopped": "Work stopped",
    "replay.resumed": "Replay went on",
    "signals.synced": "Signals read",
    "signals.imported": "Rows of a file read in",
    "import.kept": "File of tickets uploaded",
    "import.started": "File of tickets started",
    "import.stopped": "File of tickets stopped",
    "import.resumed": "File of tickets went on",
    "import.discarded": "File of tickets removed",
    "import.done": "File of tickets read in",
    "companies.synced": "Companies read",
    "contacts.synced": "Contacts read",
    "devices.synced": "Devices read",
}
#: Parts of the detail that the target says already, or that only a machine reads: the export has them.
UNTOLD = frozenset({"title", "digest", "origin", "name", "slug", "subject", "signal", "target_digest"})


@dataclass(frozen=True)
class Told:
    """One entry in words; `path` leads to what it is about, empty where there is no page of it for this reader."""

    what: str
    target: str
    path: str
    detail: str


@dataclass(frozen=True)
class _Place:
    """What a row is called, and the page on which it stands."""

    name: str
    path: str = ""


_Places = Mapping[str, _Place]


def verb_words(verb: str) -> str:
    """What happened: `session.runbook_chosen` is “Session runbook chosen”."""
    return WORDS.get(verb) or verb.replace(".", " ").replace("_", " ").capitalize()


def tell(entries: Sequence[AuditEntry], *, actor: Actor) -> list[Told]:
    """The entries in words, with links to what `actor` may see; one query for each kind of row that they name."""
    asked: dict[str, set[UUID]] = {}
    for entry in entries:
        for kind, key in _named(entry):
            asked.setdefault(kind, set()).add(key)
    found = {kind: FINDERS[kind](actor, keys) for kind, keys in asked.items()}
    return [_told(entry, found) for entry in entries]


def _told(entry: AuditEntry, found: Mapping[str, _Places]) -> Told:
    kind = entry.target_type
    place = found.get(kind, {}).get(entry.target_id)
    if place is None and kind == "runbooks.trigger":
        place = found.get("runbooks.runbook", {}).get(str(entry.detail.get("runbook", "")))
    noun = _noun(kind)
    title = str(entry.detail.get("title") or entry.detail.get("name") or "")
    name = title or (place.name if place else "")
    target = f"{noun} {name or entry.target_id[:8]}"
    return Told(verb_words(entry.verb), show_escaped(target), place.path if place else "", _detail(entry, found))


def _noun(kind: str) -> str:
    """What a row of this kind is called; one of a model that is gone by its own name."""
    special = {"approvals.origin": "Ticket", "agent.agentsession": "Session on", "tenants.membership": "Member"}
    try:
        return special.get(kind) or str(apps.get_model(kind)._meta.verbose_name).capitalize()
    except LookupError:
        return kind.rpartition(".")[2]


def _detail(entry: AuditEntry, found: Mapping[str, _Places]) -> str:
    """What is told beside it, without what is empty, ids and digests."""
    parts = []
    for name, value in entry.detail.items():
        if name in UNTOLD or (name == "tool" and entry.detail.get("title")):
            continue
        words = _value(value, found)
        if words:
            parts.append(words if name in ("detail", "words", "reason", "note") else f"{_label(name)}: {words}")
    return show_escaped("; ".join(parts))


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _value(value: object, found: Mapping[str, _Places]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(filter(None, (_value(each, found) for each in value)))
    if isinstance(value, dict):
        return ", ".join(f"{_label(str(name))}: {_value(each, found)}" for name, each in value.items())
    text = "" if value is None else str(value)
    if _uuid(text) is None:
        return text
    return next((places[text].name for places in found.values() if text in places), "")


def _named(entry: AuditEntry) -> Iterable[tuple[str, UUID]]:
    """The rows that an entry speaks of: its target, and what its detail names by a kind that has pages."""
    key = _uuid(entry.target_id)
    if key is not None and entry.target_type in FINDERS:
        yield entry.target_type, key
    for name, kind in (
        ("runbook", "runbooks.runbook"),
        ("matched", "runbooks.runbook"),
        ("company", "tenants.company"),
    ):
        other = _uuid(str(entry.detail.get(name) or ""))
        if other is not None:
            yield kind, other


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _signals(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = Signal.objects.visible_to(actor).filter(pk__in=keys).only("pk", "external_id", "subject")
    return {str(row.pk): _Place(str(row), reverse("signal", args=[row.pk])) for row in rows}


def _by_subject(actor: Actor, subjects: Mapping[str, str]) -> dict[str, _Place]:
    """The places of what stands on a signal, by their own id; `subjects` says on which."""
    keys = {name: _uuid(subject.removeprefix("signal:")) for name, subject in subjects.items()}
    signals = _signals(actor, [key for key in keys.values() if key])
    return {name: signals[str(key)] for name, key in keys.items() if str(key) in signals}


def _origins(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = Origin.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", "subject")
    return _by_subject(actor, {str(pk): subject for pk, subject in rows})


def _actions(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = Action.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", "origin__subject")
    return _by_subject(actor, {str(pk): subject for pk, subject in rows})


def _sessions(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = AgentSession.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", "signal_id")
    return _by_subject(actor, {str(pk): f"signal:{signal}" for pk, signal in rows})


def _runbooks(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = Runbook.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", "title")
    return {str(pk): _Place(title, reverse("runbook", args=[pk])) for pk, title in rows}


def _grants(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = dict(Grant.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", "runbook"))
    of = {str(pk): _uuid(pin.partition(":")[0]) for pk, pin in rows.items()}
    runbooks = _runbooks(actor, [key for key in of.values() if key])
    return {
        pk: _Place(f"of {runbooks[str(key)].name}", runbooks[str(key)].path)
        for pk, key in of.items()
        if str(key) in runbooks
    }


def _companies(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = Company.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", "name")
    return {str(pk): _Place(name, reverse("admin:tenants_company_change", args=[pk])) for pk, name in rows}


def _members(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = Membership.objects.visible_to(actor).filter(pk__in=keys).select_related("user")
    may = actor.can(Permission.MANAGE_TEAM)
    return {
        str(row.pk): _Place(
            row.user.display_name, reverse("people-member", args=[row.pk]) if may and row.is_active else ""
        )
        for row in rows
    }


def _connections(actor: Actor, keys: Iterable[UUID]) -> dict[str, _Place]:
    rows = Connection.objects.visible_to(actor).filter(pk__in=keys).values_list("pk", "label")
    may = actor.can(Permission.MANAGE_INTEGRATIONS)
    return {str(pk): _Place(label, reverse("connection-change", args=[pk]) if may else "") for pk, label in rows}


#: Kind of row -> what its rows are called and where they stand, for one reader.
FINDERS: dict[str, Callable[[Actor, Iterable[UUID]], dict[str, _Place]]] = {
    "signals.signal": _signals,
    "approvals.origin": _origins,
    "approvals.action": _actions,
    "approvals.grant": _grants,
    "agent.agentsession": _sessions,
    "runbooks.runbook": _runbooks,
    "tenants.company": _companies,
    "tenants.membership": _members,
    "integrations.connection": _connections,
}
