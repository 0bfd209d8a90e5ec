"""What was classified so far was classified at the address that its connection has now.

Of a command on the server's own machine nobody knows what ran at that time: its tools stay blocked until an Admin has
looked at them again.
"""

from django.db import migrations


def note_addresses(apps, schema_editor):
    McpTool = apps.get_model("integrations", "McpTool")
    for tool in McpTool._base_manager.exclude(trusted_pin="").select_related("connection"):
        if not tool.connection.base_url.startswith("stdio:"):
            McpTool._base_manager.filter(pk=tool.pk).update(trusted_server={"address": tool.connection.base_url})


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0012_mcp_tool_server"),
    ]
    operations = [migrations.RunPython(note_addresses, migrations.RunPython.noop)]
