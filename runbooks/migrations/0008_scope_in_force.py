"""A published runbook is for whom its version in force is: drafts that were meant for others are brought back to it."""

from django.db import migrations


def bring_back(apps, schema_editor):
    runbook_model = apps.get_model("runbooks", "Runbook")
    history = apps.get_model("runbooks", "HistoricalRunbook").objects
    companies = set(apps.get_model("tenants", "Company").unscoped.values_list("pk", flat=True))
    in_force = history.filter(history_id__in=runbook_model.unscoped.values("published_record"))
    for runbook_id, company_id in in_force.values_list("id", "company_id"):
        if company_id is None or company_id in companies:
            runbook_model.unscoped.filter(pk=runbook_id).exclude(company_id=company_id).update(company_id=company_id)


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0007_matching"), ("tenants", "0001_initial")]

    operations = [migrations.RunPython(bring_back, migrations.RunPython.noop)]
