from django.apps import AppConfig
from django.utils.module_loading import import_string


class AgentConfig(AppConfig):
    name = "agent"
    label = "agent"
    verbose_name = "Agent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Put our own tool into the registry."""
        import_string("agent.tools.find_tools")
