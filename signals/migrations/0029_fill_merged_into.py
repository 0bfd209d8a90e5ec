"""Where tickets were merged to that said it in words only."""

import re

from django.db import migrations

BATCH = 500
SAID = re.compile(r"Merged into ticket (.+) at the source\.")


def fill(apps, schema_editor):
    """Carry over what the words say."""
    rows = apps.get_model("signals", "Signal")._base_manager.using(schema_editor.connection.alias)
    said = rows.filter(state="merged", merged_into="", state_reason__startswith="Merged into ticket ")
    found = []
    for row in said.only("state_reason", "merged_into").iterator(chunk_size=BATCH):
        told = SAID.fullmatch(row.state_reason)
        if told is not None and len(told[1]) <= 80:
            row.merged_into = told[1]
            found.append(row)
    rows.bulk_update(found, ["merged_into"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [("signals", "0028_merged_into")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
