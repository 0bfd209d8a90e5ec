"""The admin in Junto's own look: unfold's settings with the colours of static/junto/tokens.css, and the way back."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _icon(request: HttpRequest) -> str:
    return static("junto/icon.svg")


def _stylesheet(request: HttpRequest) -> str:
    return static("junto/admin.css")


def _organization(request: HttpRequest) -> str:
    actor = getattr(request, "actor", None)
    return actor.organization.name if actor else ""


def _home(request: HttpRequest) -> str:
    return reverse("home")


def _page(title: str, icon: str, name: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(name)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Junto",
    "SITE_HEADER": "Junto",
    "SITE_SUBHEADER": _organization,
    "SITE_ICON": {"light": _icon, "dark": _icon},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SITE_URL": reverse_lazy("home"),
    "SHOW_HISTORY": True,
    "BORDER_RADIUS": "6px",
    "STYLES": [_stylesheet],
    "COLORS": {
        # warm neutral greys, from --ground and --surface to --ink
        "base": {
            "50": "#f9f7f3",
            "100": "#f1eee8",
            "200": "#e4dfd6",
            "300": "#d3ccc0",
            "400": "#9f968a",
            "500": "#6b645a",
            "600": "#544e46",
            "700": "#443e37",
            "800": "#332e29",
            "900": "#1e1b18",
            "950": "#161412",
        },
        # petrol, around --accent of either theme
        "primary": {
            "50": "#eef6f7",
            "100": "#dfeef0",
            "200": "#bfdde1",
            "300": "#9cc7cd",
            "400": "#67bfcb",
            "500": "#48a3b1",
            "600": "#0c6170",
            "700": "#094e5a",
            "800": "#0b3f49",
            "900": "#14343a",
            "950": "#062329",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": True,
        "navigation": [
            {"items": [{"title": "Back to Junto", "icon": "arrow_back", "link": _home}]},
            {
                "title": "Manage",
                "items": [
                    _page("Runbooks", "menu_book", "admin:runbooks_runbook_changelist"),
                    _page("Start rules", "play_circle", "admin:agent_startrule_changelist"),
                    _page("Instructions", "assignment", "admin:agent_instruction_changelist"),
                    _page("Companies", "apartment", "admin:tenants_company_changelist"),
                ],
            },
            {
                "title": "Look up",
                "items": [
                    _page("Signals", "inbox", "admin:signals_signal_changelist"),
                    _page("Sessions", "forum", "admin:agent_agentsession_changelist"),
                    _page("Actions", "bolt", "admin:approvals_action_changelist"),
                    _page("Grants", "verified_user", "admin:approvals_grant_changelist"),
                    _page("Devices", "devices", "admin:integrations_device_changelist"),
                    _page("Contacts", "contacts", "admin:integrations_contact_changelist"),
                ],
            },
        ],
    },
}
