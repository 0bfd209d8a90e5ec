"""The words of a ticket beside it, and PostgreSQL's index of them (docs/adr/0017-a-search-finds-words.md)."""

from django.db import migrations

import signals.models.tickets

# Its price keeps PostgreSQL from working it out row by row: the index holds it, and `strpos` of the words is a tenth of it.
INDEX = [
    """CREATE FUNCTION signal_word_set(words text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000
    AS $$ BEGIN RETURN array_to_tsvector(string_to_array(btrim(words), ' ')); END $$""",
    "CREATE INDEX signal_words ON signals_signal USING gin (signal_word_set(words))",
]


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in INDEX:
            schema_editor.execute(statement)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX signal_words")
        schema_editor.execute("DROP FUNCTION signal_word_set(text)")


class Migration(migrations.Migration):
    dependencies = [("signals", "0017_list_indexes")]
    operations = [
        migrations.AddField(
            model_name="signal",
            name="words",
            field=signals.models.tickets.WordsField(
                default="", editable=False, help_text="Of number, subject and description, for the search."
            ),
        ),
        migrations.RunPython(add, remove),
    ]
