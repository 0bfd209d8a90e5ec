"""SQLite made the table of results anew for a further column (0024), and lost the trigger of 0004 with the old one."""

from importlib import import_module

from django.db import migrations

SQLITE = import_module("signals.migrations.0004_results_stay").SQLITE


def add_again(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE.replace("CREATE TRIGGER", "CREATE TRIGGER IF NOT EXISTS", 1))


class Migration(migrations.Migration):
    dependencies = [("signals", "0029_fill_merged_into")]
    operations = [migrations.RunPython(add_again, migrations.RunPython.noop)]
