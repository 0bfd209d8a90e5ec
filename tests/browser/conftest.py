"""One running demo and one Chromium for all browser tests of a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.stage import Somebody, Stage, chromium_browser, demo_stage

Enter = Callable[..., Somebody]


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A Chromium."""
    with chromium_browser(chromium) as browser:
        yield browser


@pytest.fixture(scope="session")
def stage(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The product with its demo; tests take different tickets, so that they need not wait for each other."""
    with demo_stage(tmp_path_factory.mktemp("demo") / "data") as stage:
        yield stage


@pytest.fixture
def enter(browser: Browser, stage: Stage, request: pytest.FixtureRequest) -> Iterator[Enter]:
    """Log somebody in: `enter("theo")`, with a browser's options such as `color_scheme` where they matter."""
    people: list[Somebody] = []

    def enter(login: str, **options: Any) -> Somebody:
        people.append(Somebody(browser, stage, login, test=request.node.originalname, **options))
        return people[-1]

    yield enter
    for somebody in people:
        somebody.leave()
