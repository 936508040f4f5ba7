"""The cache of the database, which counts for the limits on guesses. Django's own says « not written » of any fault:
where nothing can be written, everybody would be told that they tried too often, after waiting for a lock."""

from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from ecare import unavailable


class CountingCache(DatabaseCache):
    def _base_set(self, *args, **options):
        with connection.execute_wrapper(_told):
            return super()._base_set(*args, **options)


def _told(execute, sql, params, many, context):
    try:
        return execute(sql, params, many, context)
    except Exception as fault:
        if unavailable.is_cause(fault):
            raise unavailable.Unavailable from fault
        raise
