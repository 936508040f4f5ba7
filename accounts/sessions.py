"""Django's sessions in the database, each with the person who signed in with it (`SESSION_ENGINE`).

The key in the cookie opens the row whose key is its digest, so that the table opens nothing.
"""

from typing import cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone

from accounts.models import OpenSession


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls):
        return OpenSession

    def _get_session_from_db(self):
        key = OpenSession.digest(self.session_key or "")
        try:
            return OpenSession.objects.get(session_key=key, expire_date__gt=timezone.now())
        except OpenSession.DoesNotExist:
            self._session_key = None
            return None

    def exists(self, session_key):
        return super().exists(OpenSession.digest(session_key))

    def create_model_instance(self, data):
        row = cast(OpenSession, super().create_model_instance(data))
        row.session_key = OpenSession.digest(row.session_key)
        row.user_id = data.get(SESSION_KEY)
        return row

    def delete(self, session_key=None):
        key = session_key or self.session_key
        if key is not None:
            super().delete(OpenSession.digest(key))
