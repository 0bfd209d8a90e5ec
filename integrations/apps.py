from django.apps import AppConfig

from integrations.vendors import VENDORS


class IntegrationsConfig(AppConfig):
    name = "integrations"
    label = "integrations"
    verbose_name = "Integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the tool registry."""
        for vendor in VENDORS.values():
            vendor.module("tools")
