from django.apps import AppConfig
from django.utils.module_loading import import_string


class SignalsConfig(AppConfig):
    name = "signals"
    label = "signals"
    verbose_name = "Signals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Put our own tools into the registry, and what opening a ticket rests on."""
        import_string("signals.tools.search_signals")
        import_string("signals.opening.opening_rests_on")
