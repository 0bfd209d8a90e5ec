"""Labels for the runbooks that were there before labels; every later save writes its own."""

import re

from django.db import migrations

# as runbooks.mentions finds them, but for code spans: the next save puts that right
MENTION = re.compile(r"(?<![\w@.\\])@([A-Za-z][A-Za-z0-9_]*)\.[A-Za-z]")


def write_labels(apps, schema_editor):
    runbook_model = apps.get_model("runbooks", "Runbook")
    label_model = apps.get_model("runbooks", "RunbookLabel")
    for runbook in runbook_model.unscoped.iterator():
        words = {("tag", tag[:100]) for tag in runbook.tags if isinstance(tag, str)}
        words |= {("system", vendor[:100]) for vendor in MENTION.findall(runbook.body)}
        label_model.unscoped.bulk_create(
            [
                label_model(organization_id=runbook.organization_id, runbook=runbook, kind=kind, word=word)
                for kind, word in sorted(words)
            ],
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0004_authoring")]

    operations = [migrations.RunPython(write_labels, migrations.RunPython.noop)]
