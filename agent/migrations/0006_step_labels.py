"""What a step is called; those that are there were called by their place."""

from django.db import migrations, models
from django.db.models.functions import Cast


def write_labels(apps, schema_editor):
    steps = apps.get_model("agent", "RunStep").unscoped
    steps.filter(label="").update(label=Cast("number", models.CharField()))


class Migration(migrations.Migration):
    dependencies = [("agent", "0005_replays")]

    operations = [
        migrations.AddField(
            model_name="runstep",
            name="label",
            field=models.CharField(default="", max_length=16),
            preserve_default=False,
        ),
        migrations.RunPython(write_labels, migrations.RunPython.noop),
    ]
