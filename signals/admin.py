"""Signals and boards in the admin: looked at, never edited; what changes them is the source and the signal's page."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from junto.tenants.options import ReadOnlyModelAdmin
from junto.tenants.sites import site
from signals.models import Board, Signal, SignalNote


@admin.register(Signal, site=site)
class SignalAdmin(ReadOnlyModelAdmin):
    """What came in."""

    list_display = ("external_id", "subject", "state", "company", "board", "priority", "source_updated_at")
    list_filter = ("state", "company", "board")
    list_select_related = ("company", "board")
    search_fields = ("external_id", "subject")
    ordering: ClassVar = ["-source_updated_at", "id"]


@admin.register(SignalNote, site=site)
class SignalNoteAdmin(ReadOnlyModelAdmin):
    """What was written on them."""

    list_display = ("signal", "author", "internal", "written_at")
    list_select_related = ("signal",)
    ordering: ClassVar = ["-written_at", "id"]


@admin.register(Board, site=site)
class BoardAdmin(ReadOnlyModelAdmin):
    """The source's boards."""

    list_display = ("name", "external_id", "connection")
    list_select_related = ("connection",)
