from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demo of embedded mode: people, and dossiers in every state. Not installed in production."""

    name = "demo"
    verbose_name = "Démonstration"
