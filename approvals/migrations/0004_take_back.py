"""A first approval of two can be taken back: the same person's second word. SQLite makes the table anew for it, and its
triggers go with the old one, so they are made anew as well."""

from importlib import import_module

from django.db import migrations, models

DECISIONS_STAY = [
    statement
    for statement in import_module("approvals.migrations.0003_content_stays").SQLITE
    if "ON approvals_decision" in statement
]


def drop(apps, schema_editor):
    run(schema_editor, ["DROP TRIGGER IF EXISTS decision_no_update", "DROP TRIGGER IF EXISTS decision_no_delete"])


def make(apps, schema_editor):
    run(schema_editor, DECISIONS_STAY)


def run(schema_editor, statements):
    if schema_editor.connection.vendor == "sqlite":
        for statement in statements:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0003_content_stays")]

    operations = [
        migrations.RunPython(drop, make),
        migrations.AlterField(
            model_name="decision",
            name="verdict",
            field=models.CharField(
                choices=[
                    ("approve", "Approved"),
                    ("approve_session", "Approved for this session"),
                    ("deny", "Denied"),
                    ("take_back", "Approval taken back"),
                ],
                max_length=16,
            ),
        ),
        migrations.RemoveConstraint(model_name="decision", name="decision_once_per_member"),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                fields=["action", "membership", "verdict"], name="decision_once_per_member"
            ),
        ),
        migrations.RunPython(make, drop),
    ]
