"""Findings that rest on which systems are connected, read anew when one was connected or taken away."""

from __future__ import annotations

from itertools import islice

from junto.bells import ring
from junto.tenants.models import Organization
from junto.textwork.automation import system_name
from signals.models import ProcessorResult, Signal
from signals.processing.pipeline import run_processors
from signals.processing.ticket_facts import connected_tools
from signals.processors.automation import AutomationProcessor
from signals.processors.base import Producer

#: Tickets that one call reads; the next call goes on behind them, so that other work gets its turn between.
AT_ONCE = 100


def read_anew(organization: Organization, *, after: str = "", at_once: int = AT_ONCE) -> int:
    """Let the automation processor read those open tickets again whose finding says of a system what no longer holds.

    `after` = the finding behind which to go on; rings for the rest. How many were read. What a person said stays.
    """
    connected = {system_name(system) for system in connected_tools(organization)}
    rows = ProcessorResult.objects.for_organization(organization).current()
    rows = rows.filter(processor=AutomationProcessor.slug, signal__state__in=Signal.OPEN)
    rows = rows.exclude(producer=Producer.PERSON).order_by("pk")
    if after:
        rows = rows.filter(pk__gt=after)
    told = rows.values_list("pk", "signal_id", "value").iterator()
    wrong = list(islice(((pk, signal) for pk, signal, value in told if _is_wrong(value, connected)), at_once))
    signals = Signal.objects.for_organization(organization).filter(pk__in=[signal for _, signal in wrong])
    for signal in signals.select_related("organization", "company", "contact", "device", "board", "connection"):
        if run_processors(signal, only={AutomationProcessor.slug}):
            ring("signal.processed", str(signal.pk))
    if len(wrong) == at_once:
        ring("systems.changed", f"{organization.pk}:{wrong[-1][0]}")
    return len(wrong)


def _is_wrong(value: object, connected: set[str]) -> bool:
    """Whether it misses a system that is here, or counts on one that is not."""
    if not isinstance(value, dict):
        return False
    return bool(connected.intersection(value.get("missing", ())) or set(value.get("matched", ())) - connected)
