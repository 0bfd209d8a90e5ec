"""The database itself refuses to change or delete an audit entry, whoever asks."""

from django.db import migrations

SQLITE = [
    """CREATE TRIGGER audit_entry_no_{verb} BEFORE {verb} ON audit_auditentry
    BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END""".format(verb=verb)
    for verb in ("update", "delete")
]
POSTGRESQL = [
    """CREATE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit entries are append-only'; END $$""",
    """CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_append_only()""",
]
SQLITE_BACK = [f"DROP TRIGGER audit_entry_no_{verb}" for verb in ("update", "delete")]
POSTGRESQL_BACK = [
    "DROP TRIGGER audit_entry_append_only ON audit_auditentry",
    "DROP FUNCTION audit_entry_append_only()",
]


def add(apps, schema_editor):
    run(schema_editor, SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL)


def remove(apps, schema_editor):
    run(schema_editor, SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK)


def run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
