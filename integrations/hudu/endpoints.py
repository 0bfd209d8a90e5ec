"""The requests this client makes, by class. What is not listed here does not leave.

Documented in each instance of Hudu (Admin, API Keys, View API Documentation); which public page tells of each stands in
our own contract. Passwords have routes of their own, which are left out: a value is in every answer of theirs.
"""

from __future__ import annotations

from integrations.warrants import Endpoint, Traffic

_API = "/api/v1"


def _read(template: str) -> Endpoint:
    return Endpoint(Traffic.READ, "GET", f"{_API}{template}")


COMPANIES = _read("/companies")
COMPANY = _read("/companies/{id}")
LAYOUTS = _read("/asset_layouts")
ASSETS = _read("/assets")
ASSET = _read("/companies/{company_id}/assets/{id}")
ARTICLES = _read("/articles")
ARTICLE = _read("/articles/{id}")
EXPIRATIONS = _read("/expirations")

CREATE_ARTICLE = Endpoint(Traffic.WRITE, "POST", f"{_API}/articles")
UPDATE_ARTICLE = Endpoint(Traffic.WRITE, "PUT", f"{_API}/articles/{{id}}")

ENDPOINTS: tuple[Endpoint, ...] = (
    COMPANIES,
    COMPANY,
    LAYOUTS,
    ASSETS,
    ASSET,
    ARTICLES,
    ARTICLE,
    EXPIRATIONS,
    CREATE_ARTICLE,
    UPDATE_ARTICLE,
)
"""The vendor's whole table."""

PERMISSIONS: dict[Endpoint, str] = dict.fromkeys(ENDPOINTS, "API key without passwords and without destructive actions")
"""The vendor's keys know no finer rights, but for the companies that they reach."""
