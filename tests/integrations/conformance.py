"""What every vendor's folder must do alike: tests to be inherited, with the few words that tell one vendor's wire from
another's. A folder that inherits none of them fails `tests/integrations/test_conformance.py`.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, ClassVar

import pytest
from pytest_django import Settings

from integrations.errors import (
    IntegrationError,
    VendorDown,
    VendorForbidden,
    VendorGarbled,
    VendorNotFound,
    VendorRefused,
    VendorThrottled,
    VendorUnauthorized,
)
from integrations.http import MOST_PAGES, READ_RETRIES
from integrations.pace import Unpaced
from integrations.tools import AnyTool, DefaultPolicy, Flag, OutcomeStrategy, Risk, Scope, registry
from integrations.vendors import VENDORS
from integrations.warrants import Errand, Traffic
from tests.integrations.rogue import Respond, Rogue, rogue_server, says

NAMES_A_COMPANY = re.compile(r"company|organi[sz]ation|tenant|customer|partner|region|(^|_)(org|host)(_|$)")
"""What no argument is called: whose records a call is about is never for a model to say."""

NAMES = ("Müller & Söhne", "株式会社", "مؤسسة", "e\u0301cole 🦷", "Zero\u200bwidth", "a" * 300)

#: Another 4xx than those with an error of their own.
DEFINITE = {"400 Bad Request", "409 Conflict", "412 Precondition Failed", "422 Unprocessable Entity"}


class ClientConformance:
    """A client against a server that answers as it likes. It reads one list of companies to its end."""

    slug: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]]
    secrets: ClassVar[tuple[str, ...]]
    """Those of the credentials that no error may show."""

    token_path: ClassVar[str] = ""
    """Where it signs in; empty = each request carries the credentials."""

    token: ClassVar[Mapping[str, Any]] = {"access_token": "first-token", "expires_in": 3600}
    beforehand: ClassVar[Mapping[str, Any]] = {}
    """What the client asks after signing in and before anything else: a path's part, and the answer."""

    def token_text(self, name: str) -> str:
        """A token of this name as the vendor writes it."""
        return name

    def names(self, client: Any) -> list[str]:
        """What the client reads of the list of companies: to its end."""
        return [one.name for one in client.company_records()]

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        """A page of companies, `number` counting from 1; `following` = the vendor says or means that more come."""
        raise NotImplementedError

    def company(self, number: int, name: str) -> dict[str, Any]:
        """A company on this vendor's wire."""
        return {"id": number, "name": name}

    @contextmanager
    def client(self, settings: Settings, *answers: Respond, lane: str = "") -> Iterator[tuple[Any, Rogue]]:
        """A client of a server that signs in anybody, and then gives these answers in turn."""
        with rogue_server(self.answering(*answers)) as wire:
            settings.LOCAL_TARGETS = frozenset({("127.0.0.1", wire.port)})
            with closing(self.opened(wire, lane or str(uuid.uuid4()))) as client:
                yield client, wire

    def opened(self, wire: Rogue, lane: str) -> Any:
        """A client of this server."""
        module = VENDORS[self.slug].module("client")
        return module.open_client(
            base_url=f"http://127.0.0.1:{wire.port}",
            credentials=dict(self.credentials),
            errand=Errand.reading(30),
            lane=lane,
            pace=Unpaced(),
        )

    def answering(self, *answers: Respond) -> Respond:
        """Tokens for whoever asks; for the rest the answers in turn, and the last one from then on."""
        given = iter(range(10**6))

        def respond(request: bytes, connection: Any) -> None:
            if self.signs_in(request):
                says("200 OK", json.dumps(self.token).encode())(request, connection)
            elif (known := self.known(request)) is not None:
                known(request, connection)
            else:
                answers[min(next(given), len(answers) - 1)](request, connection)

        return respond

    def known(self, request: bytes) -> Respond | None:
        """The answer to what is asked beforehand."""
        line = request.split(b"\r\n")[0].decode()
        found = [answer for part, answer in self.beforehand.items() if part in line]
        return says("200 OK", json.dumps(found[0]).encode()) if found else None

    def signs_in(self, request: bytes) -> bool:
        """Whether a request asks for a token."""
        return bool(self.token_path) and self.token_path.encode() in request.split(b"\r\n")[0]

    def looked(self, wire: Rogue) -> list[bytes]:
        """The requests for records."""
        every = [request for request in wire.requests if not self.signs_in(request)]
        return [request for request in every if self.known(request) is None]

    def signed_in(self, wire: Rogue) -> int:
        """How often somebody signed in."""
        return len([request for request in wire.requests if self.signs_in(request)])

    def refused(self, settings: Settings, status: str, body: bytes = b"{}", **headers: str) -> tuple[Exception, Rogue]:
        """What the client makes of a server that always answers so."""
        with self.client(settings, says(status, body, **headers)) as (client, wire):
            with pytest.raises(IntegrationError) as refused:
                self.names(client)
            return refused.value, wire

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            ("401 Unauthorized", VendorUnauthorized),
            ("403 Forbidden", VendorForbidden),
            ("404 Not Found", VendorNotFound),
            *((status, VendorRefused) for status in sorted(DEFINITE)),
        ],
    )
    def test_a_definite_no_has_its_own_name_and_is_not_asked_for_again(
        self, settings: Settings, status: str, error: type[Exception]
    ) -> None:
        refused, wire = self.refused(settings, status)

        assert type(refused) is error
        anew = 2 if self.token_path and error is VendorUnauthorized else 1
        assert len(self.looked(wire)) == anew
        assert self.signed_in(wire) == (anew if self.token_path else 0)

    def test_a_vendor_that_asks_for_patience_is_given_it(self, settings: Settings) -> None:
        refused, wire = self.refused(settings, "429 Too Many Requests", Retry_After="120")

        assert isinstance(refused, VendorThrottled)
        assert refused.retry_after == 120.0
        assert len(self.looked(wire)) == 1

    def test_a_vendor_that_wants_fewer_requests_and_names_no_time_is_not_pressed(self, settings: Settings) -> None:
        refused, wire = self.refused(settings, "429 Too Many Requests")

        assert isinstance(refused, VendorThrottled)
        assert len(self.looked(wire)) <= READ_RETRIES + 1

    def test_a_vendor_that_is_out_of_order_is_asked_a_few_times_and_left_alone(self, settings: Settings) -> None:
        refused, wire = self.refused(settings, "503 Service Unavailable", b"<html>down</html>", Retry_After="0")

        assert isinstance(refused, VendorDown)
        assert len(self.looked(wire)) == READ_RETRIES + 1

    @pytest.mark.parametrize("body", [b"<html><body>Welcome</body></html>", b"", b'{"half": ', b"[[[", b"\xff\xfe"])
    def test_what_is_no_answer_is_never_taken_for_one(self, settings: Settings, body: bytes) -> None:
        refused, _ = self.refused(settings, "200 OK", body)

        assert isinstance(refused, VendorGarbled)

    @pytest.mark.parametrize("body", [b"null", b'"words"', b"7", b"true", b'{"unexpected": []}', b'["unexpected"]'])
    def test_json_of_another_shape_is_told_and_not_guessed(self, settings: Settings, body: bytes) -> None:
        refused, _ = self.refused(settings, "200 OK", body)

        assert isinstance(refused, VendorGarbled)

    def test_an_empty_list_is_the_end(self, settings: Settings) -> None:
        with self.client(settings, self.page([], following=False, number=1)) as (client, wire):
            assert self.names(client) == []
        assert len(self.looked(wire)) == 1

    def test_pages_are_read_to_the_last(self, settings: Settings) -> None:
        first = self.page([self.company(1, "A"), self.company(2, "B")], following=True, number=1)
        second = self.page([self.company(3, "C")], following=False, number=2)
        empty = self.page([], following=False, number=3)
        with self.client(settings, first, second, empty) as (client, _):
            assert self.names(client) == ["A", "B", "C"]

    def test_the_same_page_again_and_again_comes_to_an_end_with_words(self, settings: Settings) -> None:
        again = self.page([self.company(7, "Again")], following=True, number=1)
        with self.client(settings, again) as (client, wire):
            with pytest.raises(VendorGarbled, match=r"same page again|more than"):
                self.names(client)
            assert len(self.looked(wire)) <= MOST_PAGES

    def test_pages_that_never_end_come_to_an_end_with_words(self, settings: Settings) -> None:
        pages = [self.page([self.company(at, f"C{at}")], following=True, number=at) for at in range(1, MOST_PAGES + 9)]
        with self.client(settings, *pages) as (client, wire):
            with pytest.raises(VendorGarbled, match=f"more than {MOST_PAGES} pages"):
                self.names(client)
            assert len(self.looked(wire)) == MOST_PAGES

    def test_names_of_all_scripts_come_as_they_are(self, settings: Settings) -> None:
        rows: list[Mapping[str, Any]] = [self.company(at, name) for at, name in enumerate(NAMES, start=1)]
        empty = self.page([], following=False, number=2)
        with self.client(settings, self.page(rows, following=False, number=1), empty) as (client, _):
            assert self.names(client) == list(NAMES)

    def test_fields_and_values_of_next_year_break_nothing(self, settings: Settings) -> None:
        status = {"id": 1, "name": "ADDED_IN_2027"}
        new = {"addedIn2027": {"deep": [1, None, {"x": True}]}, "status": status, "tags": None}
        page = self.page([{**self.company(1, "A"), **new}], following=False, number=1)
        with self.client(settings, page, self.page([], following=False, number=2)) as (client, _):
            assert self.names(client) == ["A"]

    @pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "501 Not Implemented"])
    def test_an_answer_that_echoes_what_it_was_sent_shows_no_secret(self, settings: Settings, status: str) -> None:
        def echo(request: bytes, connection: Any) -> None:
            words = f"{request.decode('latin-1')} {' '.join(self.secrets)}"
            told = {"message": words, "errorMessage": words, "errors": [{"title": words, "detail": words}]}
            says(status, json.dumps(told).encode(), Retry_After="0")(request, connection)

        with self.client(settings, echo) as (client, wire):
            with pytest.raises(IntegrationError) as refused:
                self.names(client)
            shown = f"{refused.value} {refused.value!r} {client!r} {client.__dict__.get('_session')!r}"
            assert wire.requests
        assert not [secret for secret in (*self.secrets, str(self.token["access_token"])) if secret in shown]

    def test_a_token_is_asked_for_once_by_many_and_renewed_once_by_many(self, settings: Settings) -> None:
        """Also with a vendor's clock that is far off: what a token's end means is counted from here."""
        if not self.token_path:
            return
        lane, ended = str(uuid.uuid4()), threading.Event()
        with rogue_server(self.renewing(ended)) as wire:
            settings.LOCAL_TARGETS = frozenset({("127.0.0.1", wire.port)})
            assert self.many(wire, lane) == []
            assert self.signed_in(wire) == 1
            ended.set()
            assert self.many(wire, lane) == []
            assert self.signed_in(wire) == 2

    def renewing(self, ended: threading.Event) -> Respond:
        """A server whose first token is no longer taken once `ended` is set, and whose clock stands still."""
        tokens = iter(["first-token", "second-token", "third-token"])
        empty, no = self.page([], following=False, number=1), says("401 Unauthorized", b"{}")

        def respond(request: bytes, connection: Any) -> None:
            if self.signs_in(request):
                told = json.dumps({**self.token, "access_token": self.token_text(next(tokens))}).encode()
                says("200 OK", told, Date="Thu, 01 Jan 1970 00:00:00 GMT")(request, connection)
            else:
                old = ended.is_set() and f"Bearer {self.token_text('first-token')}".encode() in request
                (no if old else self.known(request) or empty)(request, connection)

        return respond

    def many(self, wire: Rogue, lane: str) -> list[BaseException]:
        """What failed of five that read at once over one connection."""
        failures: list[BaseException] = []

        def look() -> None:
            try:
                with closing(self.opened(wire, lane)) as client:
                    self.names(client)
            except BaseException as error:
                failures.append(error)

        several = [threading.Thread(target=look) for _ in range(5)]
        for one in several:
            one.start()
        for one in several:
            one.join(20)
        return failures

    def test_a_token_goes_to_no_other_address_than_the_one_that_gave_it(self, settings: Settings) -> None:
        """The same credentials of the same connection, entered for another cloud or a local address."""
        if not self.token_path:
            return
        lane, empty = str(uuid.uuid4()), self.page([], following=False, number=1)
        with rogue_server(self.answering(empty)) as first, rogue_server(self.answering(empty)) as second:
            settings.LOCAL_TARGETS = frozenset({("127.0.0.1", first.port), ("127.0.0.1", second.port)})
            for wire in (first, second):
                with closing(self.opened(wire, lane)) as client:
                    assert self.names(client) == []
            assert (self.signed_in(first), self.signed_in(second)) == (1, 1)

    def test_a_token_that_ends_at_once_or_ended_long_ago_is_no_endless_signing_in(self, settings: Settings) -> None:
        if not self.token_path:
            return
        for lasts in (0, -3600):
            with rogue_server(self.lasting(lasts)) as wire:
                settings.LOCAL_TARGETS = frozenset({("127.0.0.1", wire.port)})
                with closing(self.opened(wire, str(uuid.uuid4()))) as client:
                    assert self.names(client) == []
            assert self.signed_in(wire) <= 2

    def lasting(self, seconds: int) -> Respond:
        """A server whose tokens last so long, with an empty list."""
        empty = self.page([], following=False, number=1)
        token = says("200 OK", json.dumps({**self.token, "expires_in": seconds}).encode())
        return lambda request, connection: (token if self.signs_in(request) else self.known(request) or empty)(
            request, connection
        )


class ToolConformance:
    """A vendor's tools as declared."""

    slug: ClassVar[str]
    declared: ClassVar[Mapping[str, str]]
    """What each tool is, by its name without the vendor: category, risk, when it asks, and the flags."""

    moves: ClassVar[frozenset[str]] = frozenset()
    """Tools that hand a record over to another company, and so must name it."""

    choosing: ClassVar[frozenset[str]] = frozenset()
    """Tools that send one of several requests, as an argument says which."""

    def tools(self) -> list[AnyTool]:
        """All of them."""
        found = [tool for tool in registry if tool.vendor == self.slug]
        assert found
        return found

    def test_the_list_of_the_folder_is_the_list_of_the_registry(self) -> None:
        assert {tool.name for tool in VENDORS[self.slug].module("tools").TOOLS} == {tool.name for tool in self.tools()}

    def test_each_tool_is_what_the_table_says_and_no_milder(self) -> None:
        """Category, risk, when it asks, flags: on them hangs who is asked, and how often."""
        declared = {
            tool.name.partition(".")[2]: " ".join(
                [tool.category, tool.risk, tool.policy, *sorted(flag.value for flag in tool.flags)]
            )
            for tool in self.tools()
        }
        assert declared == self.declared

    def test_what_harms_most_is_always_asked(self) -> None:
        harmful = {Flag.CLIENT_VISIBLE, Flag.IRREVERSIBLE, Flag.BILLING_EFFECT, Flag.FORWARDS}
        for tool in self.tools():
            if tool.risk is Risk.HIGH or tool.flags & harmful:
                assert tool.policy is DefaultPolicy.ALWAYS, tool.name

    def test_every_tool_is_described_so_that_a_person_understands_its_card(self) -> None:
        for tool in self.tools():
            assert 5 <= len(tool.label) <= 60, tool.name
            assert tool.description.endswith("."), tool.name
            assert len(tool.description) >= 30, tool.name
            assert tool.scope is Scope.FREE or "compan" in tool.description or "signal" in tool.description, tool.name
            for name, shape in (tool.schema.get("properties") or {}).items():  # type: ignore[union-attr]
                assert str(shape.get("description", "")).strip(), f"{tool.name}: {name}"  # type: ignore[union-attr]

    def test_whose_records_a_call_is_about_is_no_argument(self) -> None:
        for tool in self.tools():
            names = [one for one in tool.arguments.model_fields if NAMES_A_COMPANY.search(one)]
            assert bool(names) == (tool.name in self.moves), tool.name

    def test_every_write_has_a_preview_a_way_to_find_out_an_outcome_and_one_request(self) -> None:
        for tool in self.tools():
            writes = [one for one in tool.endpoints if one.traffic is Traffic.WRITE]
            assert len(writes) == (1 if tool.is_write else 0) or tool.name in self.choosing, tool.name
            if tool.is_write:
                assert tool.preview is not None, tool.name
                assert (tool.search is None) == (tool.outcome is OutcomeStrategy.ASK), tool.name
                assert tool.undo.endswith(".") or Flag.IRREVERSIBLE in tool.flags, tool.name

    def test_every_request_that_may_leave_is_made_by_a_tool_or_the_client_itself(self) -> None:
        table = VENDORS[self.slug].module("endpoints").ENDPOINTS
        assert len(set(table)) == len(table)
        declared = set().union(*(tool.endpoints for tool in self.tools()))
        assert declared <= set(table)
        assert {one for one in table if one.traffic is Traffic.WRITE} <= declared

    def test_the_page_that_connects_it_says_what_to_make_there(self) -> None:
        client = VENDORS[self.slug].module("client")
        assert len(client.SET_UP) >= 2
        assert client.ADDRESS_HELP.endswith(".")
        assert any(field.secret for field in client.CREDENTIAL_FIELDS)
