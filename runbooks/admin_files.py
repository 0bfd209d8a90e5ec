"""Runbooks as Markdown files in the admin: one or all downloaded, some read in after a look at what they would do."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from pydantic import TypeAdapter, ValidationError
from unfold.decorators import action

from junto.tenants.access import actor_of
from runbooks.admin_pages import RunbookPages
from runbooks.files import FILE_LIMIT, SUFFIX, decoded
from runbooks.importing import Files, PlanMoved, apply_import, as_file, file_name, plan_import
from runbooks.models import Runbook

#: Files read in at once.
MOST_FILES: Final = 500
#: Bytes of all of them, unpacked.
MOST_BYTES: Final = 8 * 1024 * 1024

_carried: Final = TypeAdapter(dict[str, str])


class UploadRefused(ValueError):
    """The upload cannot be read; the message says why."""


class FilePages(RunbookPages):
    """The pages, for the admin of `Runbook` to inherit."""

    @action(description="Download as a file", url_path="file")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One runbook, as it was saved last."""
        runbook = self.visible(request, object_id)
        text = as_file(runbook, reader=actor_of(request))
        return _attachment(text.encode(), file_name(runbook), "text/markdown; charset=utf-8")

    @action(description="Download all", url_path="files")
    def download_all(self, request: HttpRequest) -> HttpResponse:
        """All runbooks that are not archived, as an archive of files."""
        actor = actor_of(request)
        rows = Runbook.objects.visible_to(actor).exclude(status=Runbook.Status.ARCHIVED)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for row in rows.select_related("company", "forked_from"):
                archive.writestr(file_name(row), as_file(row, reader=actor))
        return _attachment(packed.getvalue(), "runbooks.zip", "application/zip")

    @action(description="Read in files…", url_path="read-in")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """Choose files; then see what they would do; then save them as drafts."""
        actor = actor_of(request)
        files: Files = {}
        try:
            files = _resubmitted(request)
            if request.method == "POST" and "stamp" in request.POST:
                done = apply_import(actor=actor, files=files, stamp=request.POST["stamp"])
                words = f"Read in as drafts: {done.words}. Nothing is published by this. {done.trigger_words}"
                messages.success(request, words.strip())
                return redirect(reverse("admin:runbooks_runbook_changelist"))
            if request.method == "POST":
                files = dict(_uploaded(request))
        except (PlanMoved, UploadRefused) as error:
            messages.error(request, str(error))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Read in files",
            "opts": self.model._meta,
            "plan": plan_import(actor=actor, files=files) if files else None,
            "files": _carried.dump_json({name: text for name, text in files.items() if text is not None}).decode(),
            "back_path": reverse("admin:runbooks_runbook_changelist"),
        }
        return TemplateResponse(request, "admin/runbooks/runbook/read_in.html", context)


def _resubmitted(request: HttpRequest) -> Files:
    """The files of the plan that was shown. The page carries them in one field: a form has at most 1,000.

    Raises:
        UploadRefused: the field is not as the page wrote it.
    """
    if "files" not in request.POST:
        return {}
    try:
        return _carried.validate_json(request.POST["files"])
    except ValidationError as error:
        raise UploadRefused("The files came back damaged. Choose them again.") from error


def _uploaded(request: HttpRequest) -> Iterator[tuple[str, str | None]]:
    """Name and text of each uploaded file, those in archives among them; None for what is no text.

    Raises:
        UploadRefused: there are none, too many, or too much.
    """
    left = MOST_BYTES
    count = 0
    for name, content in _contents(request):
        count += 1
        left -= len(content)
        if count > MOST_FILES or left < 0:
            raise UploadRefused(
                f"At most {MOST_FILES} files of {MOST_BYTES // 1024 // 1024} MB in all are read at once."
            )
        yield name.encode(errors="replace").decode(), decoded(content)
    if not count:
        raise UploadRefused(f"Choose files that end in {SUFFIX}, or an archive of them that ends in .zip.")


def _contents(request: HttpRequest) -> Iterator[tuple[str, bytes]]:
    for upload in request.FILES.getlist("files"):
        name = upload.name or ""
        if name.endswith(".zip"):
            yield from _unpacked(upload)
        elif name.endswith(SUFFIX):
            yield name, upload.read(4 * FILE_LIMIT + 1)


def _unpacked(upload: UploadedFile[bytes]) -> Iterator[tuple[str, bytes]]:
    """The Markdown files of an archive; none is unpacked further than a runbook can be long."""
    try:
        with zipfile.ZipFile(upload) as archive:
            for member in archive.infolist():
                if member.filename.endswith(SUFFIX):
                    with archive.open(member) as packed:
                        yield member.filename, packed.read(4 * FILE_LIMIT + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UploadRefused(f"{upload.name} is no archive that can be read.") from error


def _attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
