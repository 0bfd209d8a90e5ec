"""Pages for reading in files of tickets: choose one, say which column is what, look, read in, see what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from pydantic import ValidationError

from approvals.models import StaleState
from integrations.llm.fencing import show_escaped
from junto.canonical import digest
from junto.tenants.access import MemberRequest
from junto.tenants.permissions import Permission, require
from junto.zones import zone_names
from signals.files.columns import CLOSED_WORDS, FIELDS, Reading
from signals.files.importing import (
    discard_import,
    keep_file,
    read_otherwise,
    reading_of,
    resume_import,
    set_reading,
    start_import,
    stop_import,
)
from signals.files.preview import MOST_PROBLEMS, RawRow, first_rows, preview_import
from signals.files.tables import DELIMITERS, ENCODINGS, MOST_BYTES, MOST_ROWS, PROVEN, TableRefused, written
from signals.models import RefusedRow, TicketImport

PAGE_SIZE = 50
#: The element that htmx replaces while a file is being read in.
PROGRESS_TARGET = "import-progress"
#: State -> word, tone and icon.
LOOKS: dict[str, tuple[str, str, str]] = {
    TicketImport.State.DRAFT: ("Not begun", "", "dot"),
    TicketImport.State.RUNNING: ("Reading", "accent", "refresh"),
    TicketImport.State.STOPPED: ("Stopped", "warn", "pause"),
    TicketImport.State.FAILED: ("Failed", "danger", "alert"),
    TicketImport.State.DONE: ("Done", "ok", "ok"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: MemberRequest) -> HttpResponse:
    """The files that were read in, and a form for another one."""
    require(request.actor, Permission.WRITE_SIGNALS)
    problem, encoding = "", request.POST.get("encoding", "")
    if request.method == "POST":
        upload = request.FILES.get("file")
        try:
            if upload is None:
                raise TableRefused("Choose a file first.")
            kept = keep_file(
                actor=request.actor, name=upload.name or "", content=upload.read(MOST_BYTES + 1), encoding=encoding
            )
        except TableRefused as refusal:
            problem = str(refusal)
        else:
            return redirect("import", import_id=kept.pk)
    rows = TicketImport.objects.for_organization(request.organization).select_related("asked_by__user").defer("content")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "lines": [_told(row) for row in page],
        "page_obj": page,
        "problem": problem,
        "encodings": ENCODINGS.items(),
        "encoding": encoding,
        "megabytes": MOST_BYTES // 1024 // 1024,
        "most_rows": f"{MOST_ROWS:,}",
    }
    return render(request, "signals/imports.html", context, status=400 if problem else 200)


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def import_page(request: MemberRequest, import_id: UUID) -> HttpResponse:
    """One file: before it is read in how it will be read, afterwards what became of its rows."""
    row = _asked(request, import_id)
    if row.state == TicketImport.State.DRAFT:
        return _draft_page(request, row)
    refused = RefusedRow.objects.for_organization(request.organization).filter(ticket_import=row)
    page = Paginator(refused, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"one": _told(row), "page_obj": page, "refused_rows": [_refused_line(each) for each in page]}
    if request.headers.get("HX-Target") == PROGRESS_TARGET and row.state == TicketImport.State.RUNNING:
        return render(request, "signals/_import_progress.html", context)
    response = render(request, "signals/import.html", context)
    if "HX-Target" in request.headers:
        response["HX-Refresh"] = "true"  # it has ended: the whole page says more now
    return response


@require_POST
def read(request: MemberRequest, import_id: UUID) -> HttpResponse:
    """Say how the file is to be read: its encoding and delimiter, or which column says what."""
    row = _asked(request, import_id)
    posted = request.POST
    try:
        if (posted.get("encoding"), posted.get("delimiter")) != (row.encoding, row.delimiter):
            encoding, delimiter = posted.get("encoding", ""), posted.get("delimiter", "")
            read_otherwise(actor=request.actor, ticket_import=row, encoding=encoding, delimiter=delimiter)
        else:
            set_reading(actor=request.actor, ticket_import=row, reading=_reading(posted, row))
    except (TableRefused, StaleState) as refusal:
        messages.error(request, str(refusal))
    except ValidationError:
        messages.error(request, "Choose from what the page offers.")
    return redirect("import", import_id=import_id)


@require_POST
def start(request: MemberRequest, import_id: UUID) -> HttpResponse:
    """Read the file in, as the page has shown it."""
    row = _asked(request, import_id)
    if request.POST.get("stamp") != _stamp(row):
        messages.error(request, "Somebody has changed meanwhile how this file is read. Look again, then read it in.")
        return redirect("import", import_id=import_id)
    try:
        start_import(actor=request.actor, ticket_import=row)
    except (TableRefused, StaleState) as refusal:
        messages.error(request, str(refusal))
    return redirect("import", import_id=import_id)


@require_POST
def stop(request: MemberRequest, import_id: UUID) -> HttpResponse:
    """Stop."""
    try:
        stop_import(actor=request.actor, ticket_import=_asked(request, import_id))
    except StaleState:
        messages.error(request, "It had ended before it could be stopped.")
    return redirect("import", import_id=import_id)


@require_POST
def resume(request: MemberRequest, import_id: UUID) -> HttpResponse:
    """Go on where it stopped."""
    try:
        resume_import(actor=request.actor, ticket_import=_asked(request, import_id))
    except StaleState as stale:
        messages.error(request, str(stale))
    return redirect("import", import_id=import_id)


@require_POST
def discard(request: MemberRequest, import_id: UUID) -> HttpResponse:
    """Remove the file; tickets that came from it stay."""
    try:
        discard_import(actor=request.actor, ticket_import=_asked(request, import_id))
    except StaleState as stale:
        messages.error(request, str(stale))
        return redirect("import", import_id=import_id)
    messages.success(request, "The file is removed. Tickets that were read in stay.")
    return redirect("imports")


@require_safe
def refused_file(request: MemberRequest, import_id: UUID) -> HttpResponse:
    """The refused rows as a file: as they came, with what is wrong; corrected it can be read in again."""
    row = _asked(request, import_id)
    refused = RefusedRow.objects.for_organization(request.organization).filter(ticket_import=row)
    width = max([len(row.head), *(len(each.cells) for each in refused)])
    head = [*row.head, *(f"Column {place + 1}" for place in range(len(row.head), width))]
    lines = [[*each.cells, *[""] * (width - len(each.cells)), str(each.line), each.words] for each in refused]
    text = written([*head, "Line in the file", "What is wrong"], lines)
    response = HttpResponse(text.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    name = slugify(row.file_name.rpartition(".")[0])[:60] or "tickets"
    response["Content-Disposition"] = f'attachment; filename="{name}-refused.csv"'
    return response


def _draft_page(request: MemberRequest, row: TicketImport) -> HttpResponse:
    reading = reading_of(row)
    preview, raw_rows, problem = None, list[RawRow](), ""
    try:
        raw_rows = first_rows(row)
        preview = None if reading.missing else preview_import(row)
    except TableRefused as refusal:
        problem = str(refusal)
    context = {
        "one": _told(row),
        "fields": [
            {
                "slug": each.slug,
                "label": each.label,
                "help": each.help,
                "required": each.required,
                "place": reading.columns.get(each.slug),
            }
            for each in FIELDS
        ],
        "columns": list(enumerate(row.head)),
        "raw_rows": raw_rows,
        "reading": reading,
        "closed_words": ", ".join(reading.closed_words),
        "encodings": ENCODINGS.items(),
        "guessed": row.encoding not in PROVEN,
        "delimiters": DELIMITERS.items(),
        "zones": zone_names(),
        "missing": [each.label.lower() for each in reading.missing],
        "preview": preview,
        "problem": problem,
        "most_problems": MOST_PROBLEMS,
        "stamp": _stamp(row),
    }
    return render(request, "signals/import_draft.html", context)


def _reading(posted: Mapping[str, str], row: TicketImport) -> Reading:
    """What the form says. Raises ValidationError."""
    places = {each.slug: posted.get(f"column-{each.slug}", "") for each in FIELDS}
    columns = {slug: int(place) for slug, place in places.items() if place.isascii() and place.isdecimal()}
    words = [" ".join(word.split()) for word in posted.get("closed_words", ", ".join(CLOSED_WORDS)).split(",")]
    return Reading.model_validate(
        {
            "columns": {slug: place for slug, place in columns.items() if place < len(row.head)},
            "dates": posted.get("dates", ""),
            "zone": posted.get("zone", ""),
            "closed_words": [word[:80] for word in words[:30] if word],
        }
    )


def _stamp(row: TicketImport) -> str:
    """Tells one way of reading the file from another."""
    return digest({"encoding": row.encoding, "delimiter": row.delimiter, "reading": row.reading})


def _told(row: TicketImport) -> dict[str, object]:
    word, tone, icon = LOOKS[row.state]
    return {
        "id": row.pk,
        "name": show_escaped(row.file_name),
        "path": reverse("import", args=[row.pk]),
        "word": word,
        "tone": tone,
        "icon": icon,
        "state": row.state,
        "is_running": row.state == TicketImport.State.RUNNING,
        "may_resume": row.state in TicketImport.PAUSED,
        "detail": row.detail,
        "rows": row.rows,
        "position": row.position,
        "percent": row.position * 100 // row.rows if row.rows else 0,
        "created": row.created,
        "changed": row.changed,
        "unchanged": row.unchanged,
        "older": row.older,
        "refused": row.refused,
        "encoding": row.encoding,
        "delimiter": row.delimiter,
        "by": row.asked_by.user.display_name,
        "at": row.created_at,
        "ended_at": row.ended_at,
    }


def _refused_line(each: RefusedRow) -> dict[str, object]:
    return {"number": each.number, "line": each.line, "words": show_escaped(each.words), "column": each.column}


def _asked(request: MemberRequest, import_id: UUID) -> TicketImport:
    require(request.actor, Permission.WRITE_SIGNALS)
    rows = TicketImport.objects.for_organization(request.organization).defer("content")
    rows = rows.select_related("organization", "connection__organization", "asked_by__user")
    found: TicketImport | None = rows.filter(pk=import_id).first()
    if found is None:
        raise Http404("There is no such import.")
    return found
