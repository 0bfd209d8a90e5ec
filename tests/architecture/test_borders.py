"""Ines of Southgate tries every path there is, with every id that Northwind has. So does somebody who is nobody."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping

import pytest
from django.conf import settings
from django.db.models import Model
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
    "webhook": "the address is the secret, and what comes must be signed; shows nothing",
    "consent-answered": "a page of thanks for a client's administrator; shows and believes nothing",
    "api-schema": "the same for every installation",
    "api-docs": "the same for every installation",
}
#: allauth decides there; nothing below it belongs to an organization.
LOGIN_PREFIX = "accounts/"
API_PREFIX = "api/v1/"
FORBIDDEN_OR_GONE = {404, 405}
#: What stands in a path where no id does: a vendor, a tool.
WORDS = ["connectwise", "connectwise.add_internal_note"]


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

    def foreign_ids(self, route: Route | None = None) -> list[str]:
        """An id of every model's row at Northwind; on a page of the admin only of that page's model."""
        return _fitting(route, {model: str(row.pk) for model, row in self.garden.rows.items()})

    def own_ids(self, route: Route | None = None) -> list[str]:
        """Ids of Southgate's rows, those that the path is named after where there are any, and words of paths."""
        rows = {type(row): row for row in self.own.values()}
        named = _named_in(route, rows) if route else []
        return [*(named or _fitting(route, {model: str(row.pk) for model, row in rows.items()})), *WORDS]

    def filled(self, route: Route, ids: list[str]) -> Iterator[str]:
        """The route's paths with each of `ids` in each hole, alike in all of them."""
        if not route.holes:
            yield route.path()
            return
        for each in ids:
            if not _has_ids(route) or _is_uuid(each):
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
            for path in self.filled(route, self.foreign_ids()[:1]):
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

    def test_a_foreign_id_is_answered_like_one_that_never_was(self) -> None:
        self.try_foreign_ids(lambda route: _named_in(route, self.garden.rows) or self.foreign_ids(route))

    @pytest.mark.deep
    def test_an_id_of_any_other_row_is_answered_so_too(self) -> None:
        self.try_foreign_ids(self.foreign_ids)

    def try_foreign_ids(self, ids_for: Callable[[Route], list[str]]) -> None:
        for route in self.organization_routes():
            if not route.holes or not (route.name.startswith("admin:") or _has_ids(route)):
                continue
            for method in ("get", "post"):
                never = self.answer(method, route, str(uuid.uuid4()))
                told = f"{method} {route} -> {never.status_code}"
                assert never.status_code in {400, 404, 405} or _is_no_object(route), told
                for each in ids_for(route):
                    response = self.answer(method, route, each)
                    assert response.status_code == never.status_code, f"{told}, but {response.status_code} for {each}"
                    assert CANARY not in body(response), told

    def answer(self, method: str, route: Route, each: str) -> HttpResponseBase:
        path = route.path(**{hole.name: each for hole in route.holes})
        response: HttpResponseBase = getattr(self.browser, method)(self.path(path, organization=self.southgate))
        return response

    @pytest.mark.slow
    def test_no_form_of_hers_takes_a_foreign_id(self) -> None:
        foreign = {model._meta.model_name: str(row.pk) for model, row in self.garden.rows.items()}
        lower = {**foreign, "session": foreign["agentsession"], "member": foreign["membership"]}
        plural = {f"{name}s": [value] for name, value in lower.items()}
        before = self.everything_at_northwind()
        for route in self.organization_routes():
            for path in self.filled(route, self.own_ids(route)):
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

    @pytest.mark.slow
    def test_no_page_of_hers_holds_anything_of_northwind(self) -> None:
        seen = 0
        for route in self.organization_routes():
            for path in self.filled(route, self.own_ids(route)):
                for query in [""] if route.holes else ["", f"?q={CANARY[:6]}", "?page=2"]:
                    response = self.browser.get(self.path(path, organization=self.southgate) + query)
                    assert response.status_code < 500, f"{path}{query}: {response.status_code}"
                    assert CANARY not in body(response), path
                    seen += response.status_code == 200
        assert seen > 20

    @pytest.mark.slow
    def test_no_filter_of_hers_reaches_a_foreign_row(self) -> None:
        foreign = {model._meta.model_name: str(row.pk) for model, row in self.garden.rows.items()}
        by_word = ["?" + "&".join(f"{name}={value}" for name, value in foreign.items())]
        by_organization = [
            f"?organization__slug=northwind&organization={self.northwind.pk}",
            "?company__organization__slug__startswith=north",
        ]
        for route in self.organization_routes():
            if route.holes:
                continue
            for query in [*(_related(route, foreign) or by_word), *by_organization]:
                response = self.browser.get(self.path(route.path(), organization=self.southgate) + query)
                assert response.status_code < 500, f"{route}{query}: {response.status_code}"
                assert CANARY not in body(response), f"{route}{query}"

    def test_the_admins_completion_offers_nothing_of_northwind(self) -> None:
        for model in tenant_models():
            for field in filter(lambda field: field.is_relation, model._meta.fields):
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
            for query in ("", f"?q={CANARY[:6]}", f"?search={CANARY[:6]}", "?state=new"):
                response = Client().get(path + query, headers={"Authorization": f"Bearer {secret}"})
                assert response.status_code < 500
                assert CANARY not in body(response)

    def all_scopes(self) -> list[str]:
        return list(SCOPE_PERMISSIONS)


def _fitting(route: Route | None, ids: dict[type[Model], str]) -> list[str]:
    """All ids; of a page of the admin those of its own model, as every page there is made by the same base."""
    if route is None or not route.name.startswith("admin:"):
        return list(ids.values())
    return [
        each
        for model, each in ids.items()
        if route.name.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_")
    ]


def _named_in(route: Route, rows: Mapping[type[Model], Model]) -> list[str]:
    """Ids of the rows that the path's parameters are named after: `token_id` after ApiToken."""
    names = {hole.name.removesuffix("_id") for hole in route.holes}
    return [str(row.pk) for model, row in rows.items() if str(model._meta.model_name).endswith(tuple(names))]


def _related(route: Route, foreign: Mapping[str | None, str]) -> list[str]:
    """Filters of a list in the admin by each related row; none for another page."""
    shown = [
        model
        for model in tenant_models()
        if route.name == f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"
    ]
    return [
        f"?{field.name}__id__exact={foreign[field.related_model._meta.model_name]}"
        for model in shown
        for field in model._meta.fields
        if isinstance(field.related_model, type) and field.related_model._meta.model_name in foreign
    ]


def _has_ids(route: Route) -> bool:
    return any(hole.kind == "uuid" for hole in route.holes)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _is_no_object(route: Route) -> bool:
    """Paths of the admin whose hole is no id of a row: an app's name, or whatever else somebody typed."""
    return route.name in {"admin:app_list", "admin:view_on_site", "admin:"}
