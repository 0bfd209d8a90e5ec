"""Ines of Southgate tries every path there is, with every id that Northwind has. So does somebody who is nobody."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, resolve

from junto.tenants.permissions import SCOPE_PERMISSIONS
from junto.tenants.scoping import TenantModel
from signals.models import Signal
from tests.architecture.planting import CANARY, Garden, crossings
from tests.architecture.routes import Route, routes
from tests.architecture.test_models import tenant_models
from tests.cases import JuntoTestCase
from tests.factories import (
    ActionFactory,
    ApiTokenFactory,
    BoardFactory,
    ContactFactory,
    DeviceFactory,
    RunbookFactory,
    SessionFactory,
    SignalFactory,
    SignalNoteFactory,
)

#: Paths outside organizations that anybody may open, and why.
PUBLIC = {
    "healthz": "tells one word to whatever watches the server",
    "invitation": "the link in it is the proof; shows only that invitation",
    "api-schema": "the same for every installation",
    "api-docs": "the same for every installation",
}
#: allauth decides there; nothing below it belongs to an organization.
LOGIN_PREFIX = "accounts/"
API_PREFIX = "api/v1/"
FORBIDDEN_OR_GONE = {404, 405}


def body(response: HttpResponseBase) -> str:
    """What a response says, headers and streamed parts included."""
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return content.decode("utf-8", "replace") + str(response.headers)


class BorderTestCase(JuntoTestCase):
    """Northwind is planted with canaries; Southgate has believable rows of its own."""

    garden: Garden
    own: dict[str, TenantModel]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.own = cls.plant_southgate()
        cls.garden = Garden(cls.northwind, cls.olivia)
        cls.garden.plant_all()

    @classmethod
    def plant_southgate(cls) -> dict[str, TenantModel]:
        signal = SignalFactory(company=cls.quayside)
        SignalFactory(company=None, organization=cls.southgate, state=Signal.State.NEEDS_REVIEW)
        session = SessionFactory(signal=signal)
        SignalNoteFactory(signal=signal)
        return {
            "signal": signal,
            "session": session,
            "action": ActionFactory(origin=session.origin),
            "runbook": RunbookFactory(organization=cls.southgate),
            "token": ApiTokenFactory(organization=cls.southgate),
            "board": BoardFactory(organization=cls.southgate),
            "contact": ContactFactory(company=cls.quayside),
            "device": DeviceFactory(company=cls.quayside),
            "membership": cls.ines,
            "company": cls.quayside,
        }

    def setUp(self) -> None:
        super().setUp()
        self.browser = Client(raise_request_exception=False)
        self.log_in(self.ines, self.browser)

    def foreign_ids(self) -> list[str]:
        """An id of every model's row at Northwind, and one that never was."""
        return [*(str(row.pk) for row in self.garden.rows.values()), str(uuid.uuid4())]

    def own_ids(self) -> list[str]:
        """Ids of Southgate's rows."""
        return [str(row.pk) for row in self.own.values()]

    def filled(self, route: Route, ids: list[str]) -> Iterator[str]:
        """The route's paths with each of `ids` in each hole, alike in all of them."""
        if not route.holes:
            yield route.path()
            return
        for each in ids:
            yield route.path(**{hole.name: each for hole in route.holes})

    def organization_routes(self) -> list[Route]:
        return routes(settings.ORGANIZATION_URLCONF)


class PlantingTests(BorderTestCase):
    """The tests below are worth something only when everything is planted and every path is known."""

    def test_every_model_has_a_row_at_northwind(self) -> None:
        assert set(self.garden.rows) == set(tenant_models())

    def test_every_path_that_was_filled_in_is_one_the_resolver_knows(self) -> None:
        for route in self.organization_routes():
            path = route.path(**{hole.name: str(uuid.uuid4()) for hole in route.holes})
            try:
                resolve(f"/{path}", urlconf=settings.ORGANIZATION_URLCONF)
            except Resolver404:
                assert route.holes, f"{route} is not understood by tests/architecture/routes.py"
                assert any(hole.kind in {"regex", "int"} for hole in route.holes), route

    def test_the_canary_would_be_seen(self) -> None:
        Signal.unscoped.filter(organization=self.northwind).update(raw={})
        page = self.log_in(self.olivia).get(self.path("signals/"))
        assert CANARY in body(page)


class StrangerTests(BorderTestCase):
    """Ines knocks at Northwind's own doors."""

    def test_every_path_of_northwind_is_a_404_for_ines(self) -> None:
        for route in self.organization_routes():
            for path in self.filled(route, self.foreign_ids()[:2]):
                for method in ("get", "post"):
                    response = getattr(self.browser, method)(self.path(path))
                    assert response.status_code == 404, f"{method} {path}: {response.status_code}"
                    assert CANARY not in body(response), path

    def test_other_spellings_of_northwinds_path_are_no_way_in(self) -> None:
        for prefix in (
            "/o/NORTHWIND/",
            "/o/northwind%2F",
            "/O/northwind/",
            "/o//northwind/",
            "/o/southgate/../northwind/",
        ):
            response = self.browser.get(f"{prefix}signals/", follow=True)
            assert CANARY not in body(response)
            assert response.status_code in {400, 404}, f"{prefix}: {response.status_code}"


class ForeignIdTests(BorderTestCase):
    """Ines is at home and names Northwind's ids."""

    def test_every_path_of_hers_with_a_foreign_id_is_a_404(self) -> None:
        for route in self.organization_routes():
            if not route.holes:
                continue
            for path in self.filled(route, self.foreign_ids()):
                for method in ("get", "post"):
                    response = getattr(self.browser, method)(self.path(path, organization=self.southgate))
                    told = f"{method} {route} -> {response.status_code}"
                    assert response.status_code in FORBIDDEN_OR_GONE or _is_harmless(route, response), told
                    assert CANARY not in body(response), told

    def test_no_form_of_hers_takes_a_foreign_id(self) -> None:
        foreign = {model._meta.model_name: str(row.pk) for model, row in self.garden.rows.items()}
        lower = {**foreign, "session": foreign["agentsession"], "member": foreign["membership"]}
        plural = {f"{name}s": [value] for name, value in lower.items()}
        before = self.everything_at_northwind()
        for route in self.organization_routes():
            for path in self.filled(route, self.own_ids()):
                response = self.browser.post(
                    self.path(path, organization=self.southgate), {**lower, **plural, "company": foreign["company"]}
                )
                assert response.status_code < 500, f"{path}: {response.status_code}"
                assert CANARY not in body(response), path
        assert not crossings()
        assert self.everything_at_northwind() == before

    def everything_at_northwind(self) -> dict[str, list[tuple[object, ...]]]:
        return {
            model._meta.label: sorted(model.unscoped.filter(organization=self.northwind).values_list(), key=str)
            for model in tenant_models()
        }


class CanaryTests(BorderTestCase):
    """Ines reads everything that she may read, and searches for what she may not."""

    def test_no_page_of_hers_holds_anything_of_northwind(self) -> None:
        seen = 0
        for route in self.organization_routes():
            for path in self.filled(route, self.own_ids()):
                for query in ("", f"?q={CANARY}", "?page=2", "?all=1"):
                    response = self.browser.get(self.path(path, organization=self.southgate) + query)
                    assert response.status_code < 500, f"{path}{query}: {response.status_code}"
                    assert CANARY not in body(response).replace(f"?q={CANARY}", "").replace(f'value="{CANARY}"', ""), (
                        path
                    )
                    seen += response.status_code == 200
        assert seen > 20

    def test_no_filter_of_hers_reaches_a_foreign_row(self) -> None:
        foreign = {model._meta.model_name: str(row.pk) for model, row in self.garden.rows.items()}
        queries = [
            *(f"?{name}={value}" for name, value in foreign.items()),
            *(f"?{name}__id__exact={value}" for name, value in foreign.items()),
            "?organization__slug=northwind",
            f"?organization={self.northwind.pk}",
            "?company__organization__slug__startswith=north",
        ]
        for route in self.organization_routes():
            if route.holes:
                continue
            for query in queries:
                response = self.browser.get(self.path(route.path(), organization=self.southgate) + query)
                assert response.status_code < 500, f"{route}{query}: {response.status_code}"
                assert CANARY not in body(response), f"{route}{query}"

    def test_the_admins_completion_offers_nothing_of_northwind(self) -> None:
        for model in tenant_models():
            for field in model._meta.fields:
                query = {
                    "term": CANARY,
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": field.name,
                }
                response = self.browser.get(self.path("admin/autocomplete/", organization=self.southgate), query)
                assert response.status_code in {200, 403, 404}
                assert CANARY not in body(response)


class NobodyTests(BorderTestCase):
    """Somebody without a login."""

    def test_every_path_of_an_organization_leads_to_the_login_page(self) -> None:
        nobody = Client(raise_request_exception=False)
        for route in self.organization_routes():
            path = route.path(**{hole.name: str(uuid.uuid4()) for hole in route.holes})
            for method in ("get", "post"):
                response = getattr(nobody, method)(self.path(path))
                if response.status_code == 404 and any(hole.kind != "uuid" for hole in route.holes):
                    continue  # the made-up id does not fit the pattern
                told = f"{method} {route}: {response.status_code}"
                assert response.status_code == 302, told
                assert response["Location"].startswith("/accounts/login/?next="), told

    def test_an_unknown_organization_looks_like_a_foreign_one(self) -> None:
        nobody = Client()
        assert nobody.get("/o/nowhere/").status_code == nobody.get("/o/northwind/").status_code == 302
        assert self.browser.get("/o/nowhere/").status_code == self.browser.get("/o/northwind/").status_code == 404

    def test_every_path_outside_organizations_is_listed_or_asks_for_a_login(self) -> None:
        nobody = Client(raise_request_exception=False)
        for route in routes(settings.ROOT_URLCONF):
            if str(route).startswith((LOGIN_PREFIX, API_PREFIX)) or route.name in PUBLIC:
                continue
            response = nobody.get("/" + route.path(**{hole.name: "1" for hole in route.holes}))
            assert response.status_code == 302, f"{route}: {response.status_code}"
            assert response["Location"].startswith("/accounts/login/"), route


class ApiTests(BorderTestCase):
    """The same for programs: every path below /api/v1/."""

    def api_routes(self) -> list[Route]:
        found = [route for route in routes(settings.ROOT_URLCONF) if str(route).startswith(API_PREFIX)]
        return [route for route in found if route.name not in PUBLIC]

    def paths(self, slug: str, ids: list[str]) -> Iterator[str]:
        for route in self.api_routes():
            others = [hole.name for hole in route.holes if hole.name != "organization"]
            for each in ids if others else [""]:
                yield "/" + route.path(organization=slug, **dict.fromkeys(others, each))

    def test_there_are_such_paths_and_each_has_the_slug(self) -> None:
        assert self.api_routes()
        assert all("organization" in {hole.name for hole in route.holes} for route in self.api_routes())

    def test_no_token_is_a_401(self) -> None:
        for path, method in itertools.product(self.paths("northwind", self.foreign_ids()[:1]), ("get", "post")):
            response = getattr(Client(), method)(path)
            assert response.status_code == 401, f"{method} {path}: {response.status_code}"

    def test_a_browsers_login_is_no_token(self) -> None:
        for path in self.paths("southgate", self.own_ids()[:1]):
            assert self.browser.get(path).status_code == 401, path

    def test_a_rivals_token_is_a_404(self) -> None:
        secret = self.token(self.ines, *self.all_scopes())
        for path, method in itertools.product(self.paths("northwind", self.foreign_ids()), ("get", "post")):
            response = getattr(Client(), method)(path, headers={"Authorization": f"Bearer {secret}"})
            assert response.status_code == 404, f"{method} {path}: {response.status_code}"
            assert CANARY not in body(response)

    def test_a_foreign_id_below_her_own_slug_is_a_404(self) -> None:
        secret = self.token(self.ines, *self.all_scopes())
        for route in self.api_routes():
            if len(route.holes) < 2:
                continue
            for each in self.foreign_ids():
                path = "/" + route.path(**{hole.name: each for hole in route.holes} | {"organization": "southgate"})
                response = Client().get(path, headers={"Authorization": f"Bearer {secret}"})
                assert response.status_code in FORBIDDEN_OR_GONE, f"{path}: {response.status_code}"
                assert CANARY not in body(response)

    def test_her_lists_hold_nothing_of_northwind(self) -> None:
        secret = self.token(self.ines, *self.all_scopes())
        for path in self.paths("southgate", self.own_ids()):
            for query in ("", f"?q={CANARY}", f"?search={CANARY}", "?state=new"):
                response = Client().get(path + query, headers={"Authorization": f"Bearer {secret}"})
                assert response.status_code < 500
                assert CANARY not in body(response).replace(f"={CANARY}", "")

    def all_scopes(self) -> list[str]:
        return list(SCOPE_PERMISSIONS)


def _is_harmless(route: Route, response: HttpResponseBase) -> bool:
    """Admin paths whose hole is no id: an app's name, or Django's own answer about a path that does not exist."""
    return route.name in {"admin:app_list", "admin:"} and response.status_code in {302, 404}
