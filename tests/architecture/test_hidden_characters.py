"""Whatever a client wrote, no page of the organization holds a character that its reader cannot see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import models
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from integrations.models import Contact, Device
from junto.audit.services import record
from junto.inbox.models import Notification
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from signals.models import Board, Signal, SignalNote
from tests.architecture.routes import Route, routes
from tests.cases import JuntoTestCase
from tests.factories import (
    ActionFactory,
    BoardFactory,
    ContactFactory,
    DeviceFactory,
    SessionFactory,
    SignalFactory,
    SignalNoteFactory,
)

NASTY = "<script>\u200b\u202e\u0007 paid\u2066"
HIDDEN = re.compile(
    "[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f]"
)
SHOWN = "&lt;script&gt;[U+200B][U+202E][U+0007] paid[U+2066]"
#: The value of an option is sent back as it is stored; what a person reads is its label.
SENT_BACK = re.compile(r' value="[^"<>]*"')
#: Texts that come from outside, in whatever row they stand.
FOREIGN: dict[type[models.Model], tuple[str, ...]] = {
    Signal: ("subject", "description", "assignee", "priority", "type", "state_reason"),
    SignalNote: ("author", "text"),
    Company: ("name",),
    Contact: ("name", "title"),
    Device: ("name", "kind"),
    Board: ("name",),
}


class HiddenCharacterTests(JuntoTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        board = BoardFactory(organization=cls.northwind)
        contact, device = ContactFactory(company=cls.harlow), DeviceFactory(company=cls.harlow)
        deep: object = NASTY
        for _ in range(45):
            deep = [deep]
        cls.signal = SignalFactory(company=cls.harlow, board=board, contact=contact, device=device, raw={"deep": deep})
        unplaced = SignalFactory(company=None, organization=cls.northwind, state=Signal.State.NEEDS_REVIEW)
        note = SignalNoteFactory(signal=cls.signal)
        session = SessionFactory(signal=cls.signal)
        action = ActionFactory(
            origin=session.origin,
            state="waiting",
            title=NASTY,
            reason=NASTY,
            expires_at=timezone.now() + timedelta(hours=1),
        )
        Notification.objects.create(
            organization=cls.northwind, membership=cls.olivia, kind="approval", title=NASTY, body=NASTY, path="signals/"
        )
        record(Actor.person(cls.olivia), "signal.dismissed", cls.signal, {"reason": NASTY})
        for model, names in FOREIGN.items():
            for number, row in enumerate(model._base_manager.filter(organization=cls.northwind)):
                # a number behind it, as some names are unique
                model._base_manager.filter(pk=row.pk).update(**dict.fromkeys(names, NASTY + " " * number))
        cls.rows = [cls.signal, unplaced, note, session, action, board, contact, device, cls.harlow, cls.olivia]

    def setUp(self) -> None:
        super().setUp()
        self.browser = self.log_in(self.olivia, Client(raise_request_exception=False))

    @pytest.mark.slow
    def test_no_page_holds_a_hidden_character(self) -> None:
        read = shown = 0
        for route in routes(settings.ORGANIZATION_URLCONF):
            for path in self.filled(route):
                response = self.browser.get(self.path(path))
                text = body(response)
                assert response.status_code < 500, f"{path}: {response.status_code}"
                if not response.get("Content-Type", "").startswith("text/"):
                    continue  # a file such as an archive of exported runbooks, no page
                assert "<script>[U+" not in text, f"{path}: markup of a client"
                text = SENT_BACK.sub("", text)
                found = HIDDEN.search(text)
                assert found is None, (
                    f"{path}: U+{ord(found[0]):04X} in {text[max(found.start() - 60, 0) : found.end()]!r}"
                )
                read += response.status_code == 200
                shown += SHOWN in text
        assert read > 40
        assert shown > 15

    def test_what_a_form_sends_back_stays_what_is_stored(self) -> None:
        page = body(self.browser.get(self.path("signals/")))
        offered = "&lt;script&gt;" + NASTY.removeprefix("<script>")
        assert f'<option value="{offered}">{SHOWN}</option>' in page
        assert self.browser.get(self.path("signals/"), {"priority": NASTY}).context["signals"]

    def filled(self, route: Route) -> list[str]:
        """The route's path for each row that it may be about."""
        if not route.holes:
            return [route.path()]
        if route.name.startswith("admin:"):
            return [
                route.path(**{hole.name: str(row.pk) for hole in route.holes})
                for row in self.rows
                if route.name.startswith(f"admin:{row._meta.app_label}_{row._meta.model_name}_")
            ]
        return [
            route.path(**{hole.name: str(row.pk) for hole in route.holes})
            for row in self.rows
            if all(hole.kind == "uuid" and _fits(hole.name, row) for hole in route.holes)
        ]


def body(response: HttpResponseBase) -> str:
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return content.decode("utf-8", "replace").replace("\r\n", "\n")


def _fits(name: str, row: models.Model) -> bool:
    """Whether a parameter such as `signal_id` is named after the row's model."""
    return str(row._meta.model_name).endswith(name.removesuffix("_id"))
