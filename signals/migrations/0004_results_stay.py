"""The database itself refuses to change what a processor or a person said of a ticket; only the state moves."""

from django.db import migrations

COLUMNS = (
    "id, organization_id, signal_id, processor, value, key, confidence, reason, producer, model, version, "
    "milliseconds, microcents, revision, agrees, created_at"
)

SQLITE = f"""CREATE TRIGGER processor_result_stays BEFORE UPDATE OF {COLUMNS} ON signals_processorresult
    BEGIN SELECT RAISE(ABORT, 'what a result says is never changed'); END"""
POSTGRESQL = [
    """CREATE FUNCTION processor_result_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'what a result says is never changed'; END $$""",
    f"""CREATE TRIGGER processor_result_stays BEFORE UPDATE OF {COLUMNS} ON signals_processorresult
    FOR EACH ROW EXECUTE FUNCTION processor_result_stays()""",
]


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
        return
    for statement in POSTGRESQL:
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER processor_result_stays")
        return
    schema_editor.execute("DROP TRIGGER processor_result_stays ON signals_processorresult")
    schema_editor.execute("DROP FUNCTION processor_result_stays()")


class Migration(migrations.Migration):
    dependencies = [("signals", "0003_processors")]
    operations = [migrations.RunPython(add, remove)]
