from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "junto.tenants"
    label = "tenants"
    verbose_name = "Clients"
    default_auto_field = "django.db.models.BigAutoField"
