"""Values of which it was said in words only that somebody set them at the ticket's source."""

from django.db import migrations


def fill(apps, schema_editor):
    """Mark them."""
    results = apps.get_model("signals", "ProcessorResult").unscoped.using(schema_editor.connection.alias)
    said = results.filter(producer="person", person=None, reason="Somebody set it at the ticket’s source.")
    said.update(set_at_source=True)


class Migration(migrations.Migration):
    dependencies = [("signals", "0024_set_at_source")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
