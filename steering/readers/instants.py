"""Instants as both engines compute with them."""

from django.db.models import FloatField, Func, TextField


class Seconds(Func):
    """An instant in seconds, to take the difference of two: good to a millisecond."""

    arity = 1
    output_field = FloatField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="(julianday(%(expressions)s) * 86400.0)", **context)

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)::float8", **context)


class UtcHour(Func):
    """« 2026-11-21 13 », the hour in UTC of an instant: each day and week of Paris is made of whole ones."""

    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="substr(%(expressions)s, 1, 13)", **context)

    def as_postgresql(self, compiler, connection, **context):
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')"
        return self.as_sql(compiler, connection, template=template, **context)
