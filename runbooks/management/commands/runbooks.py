"""`bin/junto runbooks export|import|library`: runbooks as Markdown files, and those that come with Junto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from junto.tenants.actors import Actor
from junto.tenants.models import Membership, Organization
from junto.tenants.permissions import PermissionDenied
from runbooks.comparing import Differences
from runbooks.files import FILE_LIMIT, SUFFIX, FileRefused, decoded, read_file
from runbooks.importing import Entry, PlanMoved, apply_import, as_file, file_name, plan_import, stable_key
from runbooks.models import Runbook
from runbooks.templates import NoSuchTemplate, Offer, add_templates, offers, templates
from runbooks.wording import written

#: How changed lines of a text are marked.
MARKS: Final = {"added": "+", "removed": "-", "changed": "~"}


class Command(BaseCommand):
    """Write all runbooks of an organization to a folder, read a folder in, or add templates.

    Only drafts are made; triggers that files say are saved with them.
    """

    help = (
        "bin/junto runbooks export FOLDER --organization northwind; "
        "bin/junto runbooks import FOLDER --organization northwind --actor mara@northwind.example [--plan]; "
        "bin/junto runbooks library --organization northwind [--add vpn --actor mara@northwind.example]"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, the folder, for whom and as whom."""
        parser.add_argument("word", choices=["export", "import", "library"])
        parser.add_argument("folder", type=Path, nargs="?", help="of export and import")
        parser.add_argument("--organization", required=True, help="its slug")
        parser.add_argument("--actor", help="e-mail address of the member who reads in or adds")
        parser.add_argument("--plan", action="store_true", help="say what reading in would change, and change nothing")
        parser.add_argument("--add", action="append", default=[], metavar="NAME", help="a template to add, or all")

    def handle(self, *args: object, **options: object) -> None:
        """Do it, or say what is wrong.

        Raises:
            CommandError: the organization, member or folder is not there, or a file was refused.
        """
        slug, folder = str(options["organization"]), options["folder"]
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            raise CommandError(f"There is no organization with the slug {slug}.")
        if options["word"] == "library":
            self._library(organization, options["add"], options["actor"])
        elif not isinstance(folder, Path):
            raise CommandError("Say which folder.")
        elif options["word"] == "export":
            self._export(organization, folder)
        else:
            self._import(_member(organization, options["actor"]), folder, plan_only=bool(options["plan"]))

    def _export(self, organization: Organization, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        there = _keys_in(folder)
        rows = Runbook.objects.for_organization(organization).exclude(status=Runbook.Status.ARCHIVED)
        written = 0
        for row in rows.select_related("company", "forked_from"):
            path = there.get(stable_key(row)) or folder / file_name(row)
            path.write_text(as_file(row), encoding="utf-8", newline="\n")
            written += 1
        self.stdout.write(f"{written} runbooks written to {folder}.")

    def _library(self, organization: Organization, names: object, address: object) -> None:
        """Add the templates that were named, then say how the library stands."""
        if isinstance(names, list) and names:
            actor = _member(organization, address)
            try:
                made = add_templates(actor=actor, names=templates() if "all" in names else names)
            except (NoSuchTemplate, PermissionDenied) as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"{len(made)} drafts added; publish them in the admin.")
        for each in offers(organization=organization):
            self.stdout.write(_offer_line(each))

    def _import(self, actor: Actor, folder: Path, *, plan_only: bool) -> None:
        files = {path.name.encode(errors="replace").decode(): _text(path) for path in _files(folder)}
        if not files:
            raise CommandError(f"There is no file that ends in {SUFFIX} in {folder}.")
        try:
            plan = plan_import(actor=actor, files=files) if plan_only else apply_import(actor=actor, files=files)
        except (PermissionDenied, PlanMoved) as error:
            raise CommandError(str(error)) from error
        for entry in plan.entries:
            self.stdout.write(_line(entry))
        done = "Nothing was changed: this is the plan." if plan_only else "Saved as drafts; publish them in the admin."
        self.stdout.write(f"{plan.words.capitalize()}. {done}")
        if plan.count("refused"):
            raise CommandError(f"{plan.count('refused')} files were refused.")


def _member(organization: Organization, address: object) -> Actor:
    """Raises CommandError where no active member has this address."""
    if not address:
        raise CommandError("Say with --actor which member does it: their right to write runbooks is asked for.")
    member = (
        Membership.objects.for_organization(organization)
        .filter(user__email__iexact=str(address), is_active=True, user__is_active=True)
        .select_related("user", "organization")
        .first()
    )
    if member is None:
        raise CommandError(f"{address} is no active member of {organization.name}.")
    return Actor.person(member)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CommandError(f"{folder} is no folder.")
    return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file())


def _text(path: Path) -> str | None:
    """The file as far as a runbook can be long; None for what is no text."""
    with path.open("rb") as opened:
        return decoded(opened.read(4 * FILE_LIMIT + 1))


def _keys_in(folder: Path) -> dict[str, Path]:
    """Which file of an earlier export holds which runbook, so that a new title does not make a second file of it."""
    found: dict[str, Path] = {}
    for path in _files(folder):
        try:
            found.setdefault(read_file(_text(path) or "").key, path)
        except FileRefused:
            continue
    return found


def _offer_line(offer: Offer) -> str:
    state = "added" if offer.added else "new"
    lacks = [f"{system} is not connected" for system in offer.unconnected]
    lacks += [f"there is no @{tool}" for tool in offer.missing]
    notes = f"\n          before it can be published: {', '.join(lacks)}" if lacks else ""
    return f"{state:<9} {offer.template.name}: {offer.template.content.title}{notes}"


def _line(entry: Entry) -> str:
    """What becomes of a file, what that changes, and what keeps it from being published."""
    said = f"{entry.verdict:<9} {entry.name}"
    if entry.message:
        return f"{said}, line {entry.line}: {entry.message}"
    notes = [*(_changes(entry.differences) if entry.differences else ())]
    notes += [each.words for each in entry.triggers]
    notes += [f"triggers count at once, for version {entry.version}, which is in force"] if entry.version else []
    notes += [f"before it can be published, {problem}" for problem in entry.problems]
    return "\n          ".join([f"{said}: {entry.title}", *notes])


def _changes(differences: Differences) -> Iterator[str]:
    """The changed fields, then the lines of the text that went (-), came (+) or were changed (~)."""
    for each in differences.fields:
        yield f"{each.label}: {written(each.pieces)}".replace("\n", "; ")
    for row in differences.rows:
        if row.mark in MARKS:
            text = written(row.pieces) if row.mark == "changed" else "".join(piece.text for piece in row.pieces)
            yield f"{MARKS[row.mark]} {text}"
