"""Every bell has a listener, every listener exists, and every topic that is rung is listed."""

from __future__ import annotations

import ast
import inspect
from itertools import chain

from django.conf import settings
from django.utils.module_loading import import_string
from django_tasks.base import Task

from tests.architecture.source import product_modules


def rung_topics() -> dict[str, list[str]]:
    """Topic -> places that ring it. A topic that is no literal counts as ''."""
    found: dict[str, list[str]] = {}
    for module in product_modules():
        if module.name == "junto.bells":
            continue
        for call in chain(module.calls("ring"), module.calls("ring_all")):
            topic = call.args[0] if call.args else None
            name = topic.value if isinstance(topic, ast.Constant) and isinstance(topic.value, str) else ""
            found.setdefault(name, []).append(f"{module.name}:{call.lineno}")
    return found


def test_every_topic_that_is_rung_is_listed() -> None:
    topics = rung_topics()
    assert "" not in topics, f"a topic must be written out: {topics['']}"
    assert set(topics) <= set(settings.BELLS)


def test_every_listed_topic_is_rung_somewhere() -> None:
    assert set(settings.BELLS) <= set(rung_topics())


def test_every_bell_and_clock_name_is_a_task() -> None:
    for dotted in [*chain.from_iterable(settings.BELLS.values()), *settings.CLOCK]:
        assert isinstance(import_string(dotted), Task), dotted


def test_every_task_takes_one_key() -> None:
    for dotted in [*chain.from_iterable(settings.BELLS.values()), *settings.CLOCK]:
        parameters = list(inspect.signature(import_string(dotted).func).parameters.values())
        assert len(parameters) == 1, dotted
    for dotted in settings.CLOCK:
        (parameter,) = inspect.signature(import_string(dotted).func).parameters.values()
        assert parameter.annotation == "str", f"{dotted} is called with an empty key"


def test_every_clock_interval_is_some_seconds() -> None:
    assert all(0 < seconds <= 3600 for seconds in settings.CLOCK.values())
