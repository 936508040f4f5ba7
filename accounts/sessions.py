"""Django's sessions in the database, each with the person who signed in with it (`SESSION_ENGINE`)."""

from typing import cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

from accounts.models import OpenSession


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls):
        return OpenSession

    def create_model_instance(self, data):
        row = cast(OpenSession, super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        return row
