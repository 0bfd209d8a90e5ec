"""The words of the tickets that were there before the search knew words."""

from django.db import migrations

from signals.models.tickets import words_of

BATCH = 500


def fill(apps, schema_editor):
    rows = apps.get_model("signals", "Signal")._base_manager
    keys = list(rows.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        batch = list(rows.filter(pk__in=keys[start : start + BATCH]).only("external_id", "subject", "description"))
        for row in batch:
            row.words = words_of(row.external_id, row.subject, row.description)
        rows.bulk_update(batch, ["words"])


class Migration(migrations.Migration):
    dependencies = [("signals", "0018_words")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
