"""The ids of linked companies in the one form that they are compared in from now on.

Where one company there was linked to two here, in ids that differ in case or blanks alone, the first link stays and the
others go, each with an entry in the audit log: "company.unlinked", and why. The first is the one that was linked first
by the audit log; links that came by themselves stand in none, and count as the first.
"""

from collections import defaultdict

from django.db import migrations

from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization

CASELESS = {"microsoft365", "sophos", "pax8"}


def straighten(apps, schema_editor):
    CompanyLink = apps.get_model("integrations", "CompanyLink")
    linked_at = linkings(apps)
    same = defaultdict(list)
    for link in CompanyLink._base_manager.select_related("connection").order_by("pk"):
        same[link.connection_id, plain(link.external_id)].append(link)
    for links in same.values():
        links.sort(key=lambda link: linked_at.get((str(link.company_id), plain(link.external_id)), 0))
        first, *others = links
        for link in others:
            unlink(link, first)
        external_id = first.external_id.strip()
        if first.connection.vendor in CASELESS:
            external_id = external_id.lower()
        if external_id != first.external_id:
            CompanyLink._base_manager.filter(pk=first.pk).update(external_id=external_id)


def plain(external_id):
    return external_id.strip().lower()


def linkings(apps):
    """Company and id there -> the number of the entry in the audit log that told of linking them."""
    entries = apps.get_model("audit", "AuditEntry")._base_manager.filter(verb="company.linked")
    told = entries.values_list("target_id", "detail", "number")
    return {(company, plain(str(detail.get("external_id")))): number for company, detail, number in told}


def unlink(link, kept):
    # rows of other tables are named by their keys alone, so that this works with whatever columns those have by then
    actor = Actor.system("sync", Organization(pk=link.organization_id))
    why = "the same company there was linked to another company here, which keeps it"
    detail = {"external_id": link.external_id, "why": why, "kept_by": str(kept.company_id)}
    record(actor, "company.unlinked", Company(pk=link.company_id), detail)
    link.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0009_mcp_tools"),
        ("audit", "0002_append_only"),
    ]
    operations = [migrations.RunPython(straighten, migrations.RunPython.noop)]
