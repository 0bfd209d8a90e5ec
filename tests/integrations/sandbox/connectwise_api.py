"""A bare ConnectWise caller for the sandbox's own tests: no client of ours stands between test and wire."""

from typing import Any

import requests

from tests.sandbox_process import SandboxConnection, SandboxProcess


class ConnectWiseApi:
    """Calls one MSP's ConnectWise in the sandbox."""

    def __init__(self, connection: SandboxConnection) -> None:
        self.connection = connection
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = (f"{connection.company_id}+{connection.public_key}", connection.private_key)
        self.session.headers["clientId"] = connection.client_id

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request; the answer whatever its status."""
        return self.session.request(method, f"{self.connection.api_url}{path}", timeout=20, **options)

    def get(self, path: str, **query: Any) -> Any:
        """The decoded body of a GET that must succeed."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, status: int, **options: Any) -> dict[str, Any]:
        """The error body of a request that must be refused with this status."""
        answer = self.call(method, path, **options)
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        return body


def northwind(sandbox: SandboxProcess) -> ConnectWiseApi:
    """Northwind MSP's key."""
    return ConnectWiseApi(sandbox.connections["northwind"])


def southgate(sandbox: SandboxProcess) -> ConnectWiseApi:
    """The rival's key."""
    return ConnectWiseApi(sandbox.connections["southgate"])
