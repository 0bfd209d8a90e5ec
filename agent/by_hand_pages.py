"""The pages on which a person picks a tool and runs it by hand on a signal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from agent.by_hand import (
    ByHandField,
    ByHandRefused,
    arguments_typed,
    form_fields,
    run_by_hand,
    tools_by_hand,
    with_input,
)
from agent.models import AgentSession
from agent.offering import ranked
from agent.openings import fact_values
from agent.triage import find_signal
from approvals.grants import policy_rules
from approvals.models import Action
from approvals.policy import Mode, ToolFacts, effective_policy
from approvals.tool_words import MODE_WORDS, ToolWords, tool_words
from integrations.company_consents import page_of_consents
from integrations.errors import InvalidArguments
from integrations.llm.fencing import show_escaped
from integrations.tools import AnyTool
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from signals.facts import signal_facts
from signals.models import Signal
from signals.opening import OPENING_TOOLS, has_one_already

#: How a submitted form is known again, so that two presses ask once.
KEY = re.compile(r"[0-9a-f]{32}")
#: What the fields of arguments begin with: an argument may be called as a field of ours is.
ARGUMENT = "a-"
MOST_WORDS = 100


@dataclass(frozen=True)
class Pickable:
    """A tool of the list, with what becomes of it when it is run here."""

    words: ToolWords
    path: str
    then: str
    is_read: bool


@require_safe
def pick(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """The tools that may be run on this signal; `q` finds some by words, the best first."""
    actor = actor_of(request)
    signal = find_signal(actor, signal_id)
    tools = {tool.name: tool for tool in tools_by_hand(signal, actor=actor)}
    wanted = request.GET.get("q", "").strip()[:MOST_WORDS]
    found = _found(tools, wanted)
    context = {
        "signal": signal,
        "title": show_escaped(signal.subject),
        "tools": [_pickable(tool, signal) for tool in found],
        "total": len(tools),
        "wanted": wanted,
        "why_none": _why_none(signal),
    }
    partial = request.headers.get("HX-Target") == "tools-found"
    return render(request, "agent/_tools_found.html" if partial else "agent/tools.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def run(request: HttpRequest, signal_id: UUID, tool: str) -> HttpResponse:
    """The form of one tool's arguments; sent, a look-up answers at once and a change goes to its approval."""
    actor = actor_of(request)
    signal = find_signal(actor, signal_id)
    chosen = next((each for each in tools_by_hand(signal, actor=actor) if each.name == tool), None)
    if chosen is None:
        raise Http404("There is no such tool for this signal.")
    facts = signal_facts(signal)
    fields = form_fields(chosen, signal, facts=fact_values(facts), known=facts)
    if request.method == "POST":
        return _submitted(request, actor, signal, chosen, fields)
    refusal = has_one_already(signal) if chosen.name in OPENING_TOOLS else ""
    return _form(request, signal, chosen, fields, key=uuid4().hex, error=refusal)


def _submitted(
    request: HttpRequest, actor: Actor, signal: Signal, tool: AnyTool, fields: list[ByHandField]
) -> HttpResponse:
    typed = {
        name.removeprefix(ARGUMENT): str(value) for name, value in request.POST.items() if name.startswith(ARGUMENT)
    }
    key = str(request.POST.get("key", ""))
    if not KEY.fullmatch(key):
        raise Http404("This form was not made here.")
    arguments = arguments_typed(fields, typed)
    try:
        tool.accept(arguments)
        action, session = run_by_hand(actor=actor, signal=signal, tool=tool, arguments=arguments, key=key)
    except InvalidArguments as problem:
        errors = _by_field(problem)
        beside = " ".join(words for name, words in errors.items() if name not in {one.field.name for one in fields})
        shown = with_input(fields, typed, errors)
        return _form(request, signal, tool, shown, key=key, error=beside, wrong=bool(errors))
    except ByHandRefused as refusal:
        return _form(request, signal, tool, with_input(fields, typed, {}), key=key, error=str(refusal))
    if action.state in (Action.State.REFUSED, Action.State.FAILED):
        # sent again as it stands it is another request: this one is answered
        reason = f"{show_escaped(action.title)}: {show_escaped(action.reason)}"
        return _form(request, signal, tool, with_input(fields, typed, {}), key=uuid4().hex, error=reason)
    return _after(action, session)


def _after(action: Action, session: AgentSession | None) -> HttpResponse:
    """Where the person sees what came of it: in the chat, at the answer, or at the request."""
    if session is not None:
        return redirect("signal", signal_id=session.signal_id)
    if action.state == Action.State.SUCCEEDED and action.result is not None:
        return redirect("action-result", action_id=action.pk)
    return redirect(f"{reverse('approvals')}?action={action.pk}")


def _form(
    request: HttpRequest,
    signal: Signal,
    tool: AnyTool,
    fields: list[ByHandField],
    *,
    key: str,
    error: str = "",
    wrong: bool = False,
) -> HttpResponse:
    context = {
        "signal": signal,
        "title": show_escaped(signal.subject),
        "tool": _pickable(tool, signal),
        "fields": fields,
        "key": key,
        "error": error,
        "wrong": wrong,
        "consents": _page_of_consents(request, signal, tool) if error else "",
    }
    return render(
        request, "agent/tool_form.html", context, status=422 if request.method == "POST" and (error or wrong) else 200
    )


def _page_of_consents(request: HttpRequest, signal: Signal, tool: AnyTool) -> str:
    company = signal.company
    if company is None:
        return ""
    return page_of_consents(actor=actor_of(request), company=company, vendor=tool.vendor)


def _by_field(problem: InvalidArguments) -> Mapping[str, str]:
    """The first problem of each argument, as a sentence."""
    errors: dict[str, str] = {}
    for each in problem.problems:
        name = each.field.partition(".")[0]
        errors.setdefault(name, f"{each.message[:1].upper()}{each.message[1:]}.")
    return errors


def _found(tools: Mapping[str, AnyTool], wanted: str) -> list[AnyTool]:
    """By words, the best first, and behind them those whose name or label holds them; all without words."""
    if not wanted:
        return sorted(tools.values(), key=lambda tool: (tool.is_write, tool.vendor, tool.label))
    within = [
        name
        for name, tool in tools.items()
        if all(
            part in f"{name} {tool.label} {tool_words(tool).system}".casefold() for part in wanted.casefold().split()
        )
    ]
    ordered = dict.fromkeys([*within, *ranked(tools, wanted, limit=20)])
    return [tools[name] for name in ordered]


def _pickable(tool: AnyTool, signal: Signal) -> Pickable:
    company = str(signal.company_id)
    policy = effective_policy(
        ToolFacts.of(tool), company, policy_rules(organization=signal.organization, tool=tool.name)
    )
    words = tool_words(tool)
    at_once = policy.mode is Mode.AUTO
    then = "Runs at once" if at_once else f"{MODE_WORDS[policy.mode]}. {words.decides}"
    path = reverse("signal-tool", args=[signal.pk, tool.name])
    return Pickable(words, path, then, is_read=not tool.is_write)


def _why_none(signal: Signal) -> str:
    company: Company | None = signal.company
    if company is None:
        return (
            "Nobody knows yet which company this ticket belongs to. Choose it on the signal; then its tools are here."
        )
    return company.ended_words or f"No connected system is linked to {company.name}."
