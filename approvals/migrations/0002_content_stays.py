"""The database itself refuses to change what an action says, and to change or delete a decision, whoever asks."""

from django.db import migrations

#: All that was asked, previewed and approved. State, result and times move on.
COLUMNS = (
    "id, organization_id, origin_id, company_id, call_id, tool, tool_pin, category, risk, flags, arguments, digest, "
    "proposed_kind, proposed_by, runbook_step, revision, title, preview, target_digest, unattended"
)

SQLITE = [
    f"""CREATE TRIGGER action_content_stays BEFORE UPDATE OF {COLUMNS} ON approvals_action
    BEGIN SELECT RAISE(ABORT, 'the content of an action is never changed'); END""",
    *(
        f"""CREATE TRIGGER decision_no_{verb} BEFORE {verb} ON approvals_decision
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END"""
        for verb in ("update", "delete")
    ),
]
POSTGRESQL = [
    """CREATE FUNCTION action_content_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the content of an action is never changed'; END $$""",
    f"""CREATE TRIGGER action_content_stays BEFORE UPDATE OF {COLUMNS} ON approvals_action
    FOR EACH ROW EXECUTE FUNCTION action_content_stays()""",
    """CREATE FUNCTION decision_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'decisions are append-only'; END $$""",
    """CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION decision_append_only()""",
]
SQLITE_BACK = [f"DROP TRIGGER {name}" for name in ("action_content_stays", "decision_no_update", "decision_no_delete")]
POSTGRESQL_BACK = [
    "DROP TRIGGER action_content_stays ON approvals_action",
    "DROP FUNCTION action_content_stays()",
    "DROP TRIGGER decision_append_only ON approvals_decision",
    "DROP FUNCTION decision_append_only()",
]


def add(apps, schema_editor):
    run(schema_editor, SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL)


def remove(apps, schema_editor):
    run(schema_editor, SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK)


def run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
