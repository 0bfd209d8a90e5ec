"""The database itself refuses to change what a saved version of a runbook says, whoever asks."""

from django.db import migrations

#: All that a version says; who wrote it may be forgotten when that user is deleted.
COLUMNS = (
    "id, organization_id, company_id, title, description, body, category, tags, audience, inputs, on_success, status, "
    "forked_from_id, forked_number, published_number, published_record, published_at, "
    "history_id, history_date, history_type, history_change_reason"
)

SQLITE = [
    f"""CREATE TRIGGER runbook_history_stays BEFORE UPDATE OF {COLUMNS} ON runbooks_historicalrunbook
    BEGIN SELECT RAISE(ABORT, 'versions of a runbook are never changed'); END"""
]
POSTGRESQL = [
    """CREATE FUNCTION runbook_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'versions of a runbook are never changed'; END $$""",
    f"""CREATE TRIGGER runbook_history_stays BEFORE UPDATE OF {COLUMNS} ON runbooks_historicalrunbook
    FOR EACH ROW EXECUTE FUNCTION runbook_history_stays()""",
]
SQLITE_BACK = ["DROP TRIGGER runbook_history_stays"]
POSTGRESQL_BACK = [
    "DROP TRIGGER runbook_history_stays ON runbooks_historicalrunbook",
    "DROP FUNCTION runbook_history_stays()",
]


def add(apps, schema_editor):
    run(schema_editor, SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL)


def remove(apps, schema_editor):
    run(schema_editor, SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK)


def run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
