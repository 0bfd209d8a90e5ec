"""The form that starts a run: for a ticket or a company, with the runbook's inputs, typed and filled in beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from pydantic import JsonValue

from agent.models import AgentSession
from agent.runs_pages import posted
from agent.services import SessionRefused, in_force, live_session
from agent.starting import run_for_company, run_on_signal
from approvals.models import Grant
from integrations.llm.fencing import show_escaped
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from runbooks.firing import manual_trigger
from runbooks.inputs import InputDeclaration
from runbooks.models import Runbook, TriggerFiring
from runbooks.services import PublishedVersion, published_document
from runbooks.suspension import suspended_at
from runbooks.values import ValuesRefused, prefill
from signals.facts import signal_facts
from signals.models import Signal
from signals.services import SignalNotClaimable

#: How an input's type is asked for in a browser.
_CONTROLS = {"string": "text", "email": "email", "number": "number", "date": "date"}


@dataclass(frozen=True)
class InputField:
    """One input of a runbook as a field of the form."""

    name: str
    label: str
    control: str
    value: str
    required: bool
    options: tuple[str, ...]
    error: str


@dataclass(frozen=True)
class _Target:
    """What the run is for: a ticket, or a company without one."""

    company: Company
    signal: Signal | None


@require_http_methods(["GET", "HEAD", "POST"])
def start_run(request: HttpRequest, runbook_id: UUID) -> HttpResponse:
    """Choose what a runbook is run for, give its inputs, and run it.

    Raises:
        Http404: there is no such published runbook, or it is not theirs to see.
    """
    actor = actor_of(request)
    runbook = _runbook(actor, runbook_id)
    version = published_document(runbook)
    asked = request.POST if request.method == "POST" else request.GET
    target = _target(request, actor, runbook, {name: str(value) for name, value in asked.items()})
    errors: dict[str, str] = {}
    if request.method == "POST" and target is not None:
        try:
            return _start(request, actor, runbook, version, target)
        except ValuesRefused as refused:
            errors = refused.errors
        except (SessionRefused, SignalNotClaimable) as refusal:
            messages.error(request, str(refusal))
    context = {
        "runbook_path": reverse("runbook", args=[runbook.pk]),
        "version": version,
        "audience": Runbook.Audience(version.audience).label,
        "target": target,
        "asked": {"ticket": asked.get("ticket", "")},
        "press": request.POST.get("press", "") or str(uuid4()),
    }
    if target is None:
        context["companies"] = _companies(actor, runbook)
        return render(request, "agent/run_start.html", context)
    suspended = suspended_at(runbook, target.company) if version.audience == Runbook.Audience.AI else ()
    context |= {
        "signal_words": show_escaped(str(target.signal)) if target.signal else "",
        "fields": _fields(request, version, target, errors),
        "what": _what_happens(runbook, version, target, suspended=bool(suspended)),
        "suspended": suspended,
        "ends": _what_ends(target),
    }
    return render(request, "agent/run_start.html", context)


def _start(
    request: HttpRequest, actor: Actor, runbook: Runbook, version: PublishedVersion, target: _Target
) -> HttpResponse:
    given = _given(version, posted(request))
    if target.signal is not None:
        session = run_on_signal(runbook=runbook, signal=target.signal, actor=actor, given=given)
        return redirect("run", session_id=session.pk)
    firing = run_for_company(
        runbook=runbook,
        company=target.company,
        actor=actor,
        given=given,
        press=request.POST.get("press", "")[:40] or str(uuid4()),
    )
    session_id = AgentSession.objects.visible_to(actor).filter(firing=firing).values_list("pk", flat=True).first()
    if session_id is not None:
        return redirect("run", session_id=session_id)
    tell = messages.warning if firing.state == TriggerFiring.State.SKIPPED else messages.success
    tell(request, firing.reason or "It waits for its turn in the queue.")
    return redirect("runs")


def _target(request: HttpRequest, actor: Actor, runbook: Runbook, asked: Mapping[str, str]) -> _Target | None:
    """The ticket or company that was chosen; None, with a word to the person, where it is not there to be chosen."""
    signals = Signal.objects.visible_to(actor).select_related(
        "organization", "company", "board", "contact", "device", "connection"
    )
    signal: Signal | None = None
    company: Company | None
    number = asked.get("ticket", "").strip().lstrip("#")[:80]
    if asked.get("signal"):
        signal = signals.filter(pk=_uuid(asked["signal"])).first()
        if signal is None:
            raise Http404("There is no such signal.")
    elif number and "\0" not in number:
        signal = signals.filter(external_id=number).order_by("-source_updated_at").first()
        if signal is None:
            messages.error(request, f"No ticket {show_escaped(number)} is among those you may see.")
            return None
    if signal is not None:
        company, refusal = signal.company, _why_not_on(signal, runbook)
    elif asked.get("company"):
        company = Company.objects.visible_to(actor).filter(pk=_uuid(asked["company"])).first()
        if company is None:
            raise Http404("There is no such company.")
        refusal = company.ended_words
    else:
        return None
    if company is None or refusal:
        messages.error(request, refusal)
        return None
    return _Target(company, signal)


def _why_not_on(signal: Signal, runbook: Runbook) -> str:
    """Why the runbook cannot be run on the ticket, for a person to read."""
    if signal.company is None:
        return "This signal belongs to no known company yet: choose its company first."
    if not in_force(runbook, signal.company):
        return f"“{runbook.title}” is not published for {signal.company.name}."
    return signal.company.ended_words


def _fields(
    request: HttpRequest, version: PublishedVersion, target: _Target, errors: Mapping[str, str]
) -> list[InputField]:
    """The inputs with what is known of them; after a refusal with what was typed and what is wrong with it."""
    known: Mapping[str, JsonValue]
    if request.method == "POST":
        known = _given(version, posted(request))
    else:
        known = prefill(version.inputs, signal_facts(target.signal) if target.signal else None)
        trigger = manual_trigger_inputs(version, target)
        known = {**known, **trigger}
    return [
        InputField(
            name=each.name,
            label=each.label,
            control=_CONTROLS.get(each.type, each.type),
            value=_text(known.get(each.name)),
            required=each.required,
            options=each.options,
            error=errors.get(each.name, ""),
        )
        for each in version.inputs
    ]


def manual_trigger_inputs(version: PublishedVersion, target: _Target) -> dict[str, JsonValue]:
    """What the author set beforehand for runs without a ticket."""
    if target.signal is not None:
        return {}
    runbook = Runbook.objects.for_organization(target.company.organization).get(pk=version.runbook_id)
    trigger = manual_trigger(runbook, target.company)
    return dict(trigger.inputs) if trigger else {}


def _given(version: PublishedVersion, form: Mapping[str, str]) -> dict[str, JsonValue]:
    """What was typed for each input; an empty box is a no."""
    return {each.name: _typed(each, form) for each in version.inputs}


def _typed(declared: InputDeclaration, form: Mapping[str, str]) -> JsonValue:
    if declared.type == "boolean":
        return f"input.{declared.name}" in form
    return form.get(f"input.{declared.name}", "")


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)


def _what_happens(runbook: Runbook, version: PublishedVersion, target: _Target, *, suspended: bool) -> list[str]:
    """What starting it means, in words."""
    if version.audience == Runbook.Audience.HUMAN:
        return ["People carry it out: you get its steps to tick. The agent carries out nothing by itself."]
    words = []
    if version.audience == Runbook.Audience.AI and suspended:
        words.append(
            "The agent carries out its steps, and asks a person for each change that is not approved any more."
        )
    elif version.audience == Runbook.Audience.AI:
        grants = Grant.objects.for_organization(runbook.organization).filter(
            kind=Grant.Kind.RUNBOOK, runbook=version.pin, revoked_at=None
        )
        words.append(
            f"The agent runs it by itself under {grants.count()} standing approvals; anything else waits for a person."
        )
    else:
        words.append("The agent does the automated steps, asks you at its decisions and before every change.")
    if target.signal is None:
        words.append("First it opens a ticket in ConnectWise for this company.")
    words.append("At the end the time and an internal note go to the ticket.")
    return words


def _what_ends(target: _Target) -> str:
    live = live_session(target.signal) if target.signal else None
    return "The conversation that is open on this ticket ends when the run begins." if live else ""


def _companies(actor: Actor, runbook: Runbook) -> list[tuple[UUID, str]]:
    """For whom it may be started without a ticket."""
    rows = Company.objects.visible_to(actor).filter(is_active=True).order_by("name")
    return [
        (company.pk, company.name)
        for company in rows
        if in_force(runbook, company)
        and actor.can(Permission.RUN_SESSIONS, company)
        and manual_trigger(runbook, company) is not None
    ]


def _runbook(actor: Actor, runbook_id: UUID) -> Runbook:
    rows = Runbook.objects.visible_to(actor).filter(pk=runbook_id, status=Runbook.Status.PUBLISHED)
    found: Runbook | None = rows.select_related("company", "organization").first()
    if found is None:
        raise Http404("There is no such published runbook.")
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404("There is no such choice.") from None
