"""Other people's clients of the vendors run against the sandbox unchanged but for the address, and over TLS."""

from __future__ import annotations

from collections.abc import Iterator

import msal
import pytest
import requests
from hudu_magic import HuduClient
from hudu_magic.validation import HuduAPIError

from tests.sandbox_process import SandboxProcess, running_sandbox

GRAPH = ["https://graph.microsoft.com/.default"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox that serves TLS, its world untouched."""
    with running_sandbox(tmp_path_factory.mktemp("served"), tls=True) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _trusted(served: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """These clients are built on `requests`, and are told whom to trust as anybody tells it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.state / "tls" / "authority.pem"))


def app(served: SandboxProcess, tenant: str, *, secret: str = "") -> msal.ConfidentialClientApplication:
    """Microsoft's own client, for one tenant. It would ask Microsoft about a host that it does not know."""
    key = served.microsoft365["northwind-365"]
    return msal.ConfidentialClientApplication(
        key.client_id,
        client_credential=secret or key.client_secret,
        authority=f"{served.tls_url}/microsoft365/login/{tenant}",
        instance_discovery=False,
    )


def tenant_of(served: SandboxProcess, name: str) -> str:
    """A tenant's id by its name."""
    return next(str(one["tenantId"]) for one in served.cloud("tenants") if one["displayName"] == name)


def test_microsofts_client_signs_in_once_and_its_token_opens_that_tenant_alone(served: SandboxProcess) -> None:
    client = app(served, tenant_of(served, "Harbor Dental Group"))
    first, again = client.acquire_token_for_client(scopes=GRAPH), client.acquire_token_for_client(scopes=GRAPH)
    users = requests.get(
        f"{served.tls_url}/microsoft365/v1.0/users",
        headers={"Authorization": f"Bearer {first['access_token']}"},
        timeout=20,
    ).json()["value"]

    assert (first["token_source"], again["token_source"]) == ("identity_provider", "cache")
    assert again["access_token"] == first["access_token"]
    assert {one["userPrincipalName"].partition("@")[2] for one in users} == {"harbordental.example"}


def test_microsofts_client_understands_a_wrong_secret_and_a_tenant_that_is_none(served: SandboxProcess) -> None:
    wrong = app(served, tenant_of(served, "Harbor Dental Group"), secret="wrong").acquire_token_for_client(GRAPH)
    nowhere = app(served, "00000000-0000-4000-8000-000000000000").acquire_token_for_client(GRAPH)

    assert wrong["error"] == "invalid_client"
    assert "AADSTS7000215" in wrong["error_description"]
    assert nowhere["error_codes"] == [90002]


def test_a_client_of_hudu_reads_lists_to_their_end_and_writes(served: SandboxProcess) -> None:
    client = HuduClient(api_key=served.keys["hudu"]["northwind-hudu"]["api_key"], instance_url=f"{served.tls_url}/hudu")
    harbor = next(one for one in client.companies.list() if one.name == "Harbor Dental Group")
    made = client.articles.create(name="Written by another client", content="<p>a</p>", company_id=harbor.id)

    assert {one.id for one in client.assets.list()} == {one["id"] for one in served.held("hudu", "assets")}
    assert client.articles.get(made.id).name == "Written by another client"


def test_a_client_of_hudu_understands_a_wrong_key(served: SandboxProcess) -> None:
    with pytest.raises(HuduAPIError, match="401"):
        HuduClient(api_key="no-key-of-ours", instance_url=f"{served.tls_url}/hudu").companies.list()


def test_whoever_does_not_trust_the_authority_does_not_talk_to_it(
    served: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests.certs.where())
    with pytest.raises(requests.exceptions.SSLError):
        app(served, tenant_of(served, "Harbor Dental Group"))
