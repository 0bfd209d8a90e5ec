"""What a sync job hears when its token is not good (T10)."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from junto.team.models import ApiToken
from junto.team.services import change_role, deactivate_member, limit_to_companies
from junto.team.tokens import revoke_token
from junto.tenants.permissions import Role
from tests.cases import JuntoTestCase


class TokenDoorTests(JuntoTestCase):
    """At the list of signals."""

    def ask(self, authorization: str | None, slug: str = "northwind") -> tuple[int, str]:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = Client().get(f"/api/v1/{slug}/signals", headers=headers)
        return answer.status_code, answer.content.decode()

    def test_a_good_token_comes_in(self) -> None:
        secret = self.token(self.adam, "signals:read")
        assert self.ask(f"Bearer {secret}")[0] == 200

    def test_each_bad_token_is_a_401_that_says_why(self) -> None:
        good = self.token(self.adam, "signals:read")
        cases = {
            None: "Send an API token",
            "": "Send an API token",
            "Basic dGhlbzp4": "Send an API token",
            "Bearer": "looks like this",
            "Bearer a b": "looks like this",
            "Bearer something": "looks like this",
            "Bearer jt_madeup": "not known",
            f"Bearer {good}x": "not known",
            f"Bearer {good[:-1]}": "not known",
            "Bearer jt_\xff": "not known",
        }
        for authorization, words in cases.items():
            status, told = self.ask(authorization)
            assert status == 401, f"{authorization}: {status}"
            assert words in told, f"{authorization}: {told}"

    def test_an_expired_token_is_told_since_when(self) -> None:
        secret = self.token(self.adam, "signals:read")
        ApiToken.objects.for_organization(self.northwind).update(expires_at=timezone.now() - timedelta(days=1))
        status, told = self.ask(f"Bearer {secret}")
        assert status == 401
        assert "expired on" in told

    def test_a_revoked_token_is_refused_at_once(self) -> None:
        secret = self.token(self.adam, "signals:read")
        assert self.ask(f"Bearer {secret}")[0] == 200
        revoke_token(actor=self.actor(self.adam), token=ApiToken.objects.for_organization(self.northwind).get())
        status, told = self.ask(f"Bearer {secret}")
        assert status == 401
        assert "revoked" in told

    def test_a_token_ends_with_its_makers_right_to_make_it(self) -> None:
        changes: list[Callable[[], object]] = [
            lambda: change_role(actor=self.actor(self.olivia), membership=self.adam, role=Role.TECHNICIAN),
            lambda: deactivate_member(actor=self.actor(self.olivia), membership=self.adam),
            lambda: limit_to_companies(
                actor=self.actor(self.olivia), membership=self.adam, all_companies=False, companies=[self.harlow]
            ),
        ]
        for change in changes:
            with transaction.atomic():
                secret = self.token(self.adam, "signals:read")
                assert self.ask(f"Bearer {secret}")[0] == 200
                change()
                status, told = self.ask(f"Bearer {secret}")
                assert status == 401
                assert "Adam Reyes, who made this API token, may no longer do so" in told
                transaction.set_rollback(True)

    def test_the_wrong_scope_is_a_403_that_names_the_right_one(self) -> None:
        secret = self.token(self.adam, "signals:write")
        status, told = self.ask(f"Bearer {secret}")
        assert status == 403
        assert "signals:read" in told

    def test_the_wrong_organization_is_a_404(self) -> None:
        secret = self.token(self.adam, "signals:read")
        for slug in ("southgate", "nowhere"):
            assert self.ask(f"Bearer {secret}", slug)[0] == 404

    def test_its_last_use_is_kept(self) -> None:
        secret = self.token(self.adam, "signals:read")
        self.ask(f"Bearer {secret}")
        assert ApiToken.objects.for_organization(self.northwind).get().last_used_at is not None

    def test_a_token_opens_no_page(self) -> None:
        secret = self.token(self.adam, "signals:read")
        answer = APIClient().get(self.path("signals/"), headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 302
