"""The text that the list searches, for the runbooks that were there before it."""

import unicodedata

from django.db import migrations

BATCH = 500


def fill(apps, schema_editor):
    rows = apps.get_model("runbooks", "Runbook")._base_manager
    keys = list(rows.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        batch = list(rows.filter(pk__in=keys[start : start + BATCH]).only("title", "description", "body"))
        for row in batch:
            text = "\n".join((row.title, row.description, row.body))
            row.searched = unicodedata.normalize("NFKC", text).casefold()
        rows.bulk_update(batch, ["searched"])


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0004_text_to_search")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
