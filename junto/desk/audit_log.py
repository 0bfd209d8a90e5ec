"""The audit log to read and to take away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from typing import Literal

from asgiref.sync import sync_to_async
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from junto.audit.models import AuditEntry
from junto.audit.services import record, verify_chain
from junto.desk.audit_words import Told, tell, verb_words
from junto.tenants.access import MemberRequest
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require

ROWS_A_PAGE = 50
ROWS_A_READ = 1000
#: Up to so many entries the page itself verifies the chain; beyond, `bin/junto audit verify` does.
VERIFIED_ON_SIGHT = 2000
COLUMNS = (
    "number",
    "at",
    "actor_kind",
    "actor_label",
    "actor_id",
    "verb",
    "target_type",
    "target_id",
    "detail",
    "previous_hash",
    "hash",
)
#: A cell that begins so would be run as a formula by a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@require_safe
def audit_log(request: MemberRequest) -> HttpResponse:
    """What was done, newest first."""
    actor = request.actor
    require(actor, Permission.EXPORT_AUDIT)
    entries = AuditEntry.objects.for_organization(actor.organization)
    verbs = list(entries.order_by("verb").values_list("verb", flat=True).distinct())
    filters = {"q": request.GET.get("q", "").strip(), "verb": request.GET.get("verb", "")}
    page = Paginator(_filtered(entries, filters).order_by("-number"), ROWS_A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "entries": [_row(entry, told) for entry, told in zip(page, tell(list(page), actor=actor), strict=True)],
        "page_obj": page,
        "filters": filters,
        "choices": {"verbs": [(verb, verb_words(verb)) for verb in verbs]},
        "chain": _chain(actor.organization, entries),
        "query_string": query.urlencode(),
    }
    return render(request, "audit/log.html", context)


@require_POST
def export(request: MemberRequest, form: Literal["csv", "jsonl"]) -> StreamingHttpResponse:
    """The whole log, oldest first. That it was taken away is itself the log's last entry."""
    actor = request.actor
    require(actor, Permission.EXPORT_AUDIT)
    with transaction.atomic():
        record(actor, "audit.exported", actor.organization, {"form": form})
    name = f"{actor.organization.slug}-audit-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    kinds: dict[str, tuple[Callable[[AuditEntry], str], str, str]] = {
        "csv": (_csv_line, "text/csv; charset=utf-8", ",".join(COLUMNS) + "\r\n"),
        "jsonl": (_json_line, "application/jsonl; charset=utf-8", ""),
    }
    line, content_type, head = kinds[form]
    response = StreamingHttpResponse(_lines(actor.organization, line, head), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


async def _lines(organization: Organization, line: Callable[[AuditEntry], str], head: str) -> AsyncIterator[str]:
    """Read by number in portions, so that a log of any length needs little memory."""
    if head:
        yield head
    entries = AuditEntry.objects.for_organization(organization).order_by("number")
    last = 0
    while rows := await sync_to_async(_portion)(entries, last):
        yield "".join(line(entry) for entry in rows)
        last = rows[-1].number


def _portion(entries: QuerySet[AuditEntry], last: int) -> list[AuditEntry]:
    return list(entries.filter(number__gt=last)[:ROWS_A_READ])


def _values(entry: AuditEntry) -> dict[str, object]:
    values = {column: getattr(entry, column) for column in COLUMNS}
    return {**values, "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")}


def _json_line(entry: AuditEntry) -> str:
    return json.dumps(_values(entry), ensure_ascii=False) + "\n"


def _csv_line(entry: AuditEntry) -> str:
    values = _values(entry) | {"detail": json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)}
    buffer = io.StringIO()
    csv.writer(buffer).writerow(_harmless(str(values[column])) for column in COLUMNS)
    return buffer.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _filtered(entries: QuerySet[AuditEntry], filters: dict[str, str]) -> QuerySet[AuditEntry]:
    if filters["verb"]:
        entries = entries.filter(verb=filters["verb"])
    if words := filters["q"].replace("\0", ""):
        entries = entries.filter(
            Q(actor_label__icontains=words) | Q(target_type__icontains=words) | Q(target_id__startswith=words)
        )
    return entries


def _row(entry: AuditEntry, told: Told) -> dict[str, object]:
    return {
        "at": entry.at,
        "actor": entry.actor_label if entry.actor_kind == "person" else f"{entry.actor_label} ({entry.actor_kind})",
        "verb": entry.verb,
        "told": told,
        "short_hash": entry.hash[:8],
    }


def _chain(organization: Organization, entries: QuerySet[AuditEntry]) -> dict[str, object] | None:
    if entries.count() > VERIFIED_ON_SIGHT:
        return None
    report = verify_chain(organization)
    word = f"{report.entries} entries hold" if report.ok else f"The log was changed: {report.reason}"
    return {"ok": report.ok, "word": word, "at": timezone.now()}
