from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def take_over(apps, schema_editor):
    """Decisions until now were about the tool as their action has it: its pin never changed."""
    action, decision = apps.get_model("approvals", "Action"), apps.get_model("approvals", "Decision")
    pin = action._base_manager.filter(pk=OuterRef("action")).values("tool_pin")
    decision._base_manager.update(tool_pin=Subquery(pin))


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="tool_pin",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
