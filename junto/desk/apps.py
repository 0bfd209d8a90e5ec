from django.apps import AppConfig
from django.utils.module_loading import import_string


class DeskConfig(AppConfig):
    name = "junto.desk"
    label = "desk"
    verbose_name = "Desk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Write down what happens to logins."""
        import_string("junto.desk.login.log_the_door")()
