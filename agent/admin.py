"""Sessions and their events in the admin: looked at, never edited."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from agent.models import AgentSession, SessionEvent
from junto.tenants.options import ReadOnlyModelAdmin
from junto.tenants.sites import site


@admin.register(AgentSession, site=site)
class AgentSessionAdmin(ReadOnlyModelAdmin):
    """What the agent worked on."""

    list_display = ("signal", "company", "state", "model_label", "steps_used", "created_at")
    list_filter = ("state", "company")
    list_select_related = ("signal", "company")


@admin.register(SessionEvent, site=site)
class SessionEventAdmin(ReadOnlyModelAdmin):
    """What was said and done, in order."""

    list_display = ("session", "number", "kind", "action_state", "created_at")
    list_filter = ("kind",)
    list_select_related = ("session__signal",)
    ordering: ClassVar = ["-created_at", "-number"]
