"""Two workers, two clicks, a click and a worker: at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ecare.journal.models import Entry
from ecare.letters.models import Letter
from exports import actions, builders
from exports.models import Export
from tests.evidence.conftest import stored_names
from tests.exports.conftest import asked
from tests.factories import ApplicationFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
CSV = Export.Kind.QUEUE_CSV


def test_two_workers_build_one_export_once():
    ApplicationFactory()
    agent = UserFactory(ans=True)
    export = asked(CSV, by=agent)
    done = at_once(*[builders.build] * 4)
    assert sorted(map(bool, done)) == [False, False, False, True]
    ready = Export.objects.get()
    assert (ready.pk, ready.state, ready.attempts) == (export.pk, "ready", 1)
    assert stored_names() == {ready.storage_name}
    assert Letter.objects.filter(name="export_ready").count() == 1
    assert Entry.objects.filter(verb="build_export").count() == 1


def test_two_clicks_at_once_are_one_export_and_three_is_the_most():
    agent = UserFactory(ans=True)
    same = at_once(*[lambda: asked(CSV, by=agent)] * 3)
    assert len({one.pk for one in same}) == 1
    at_once(*[lambda rank=rank: asked(CSV, by=agent, what=f"q={rank}") for rank in range(5)])
    assert Export.objects.unfinished().count() == 3


def test_a_cancel_and_a_worker_leave_either_a_file_or_none():
    ApplicationFactory()
    agent = UserFactory(ans=True)
    for rank in range(3):
        export = asked(CSV, by=agent, what=f"q={rank}")
        at_once(builders.build, lambda export=export: actions.cancel(export, by=agent))
        found = Export.objects.get(pk=export.pk)
        assert found.state in ("ready", "cancelled")
        assert stored_names() == ({found.storage_name} if found.state == "ready" else set())
        actions.forget(at=timezone.now() + timedelta(days=8))


def test_a_worker_that_died_leaves_nothing_once_the_export_is_ready(monkeypatch):
    """With real transactions: what it had put away is removed when the next one has claimed the export."""
    ApplicationFactory()
    export = asked(CSV, by=UserFactory(ans=True))

    class Killed(BaseException):
        pass

    def die(*arguments):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("exports.emails.export_ready", die)
        with pytest.raises(Killed):
            builders.build()
    [half] = stored_names()
    assert builders.build(timezone.now() + timedelta(minutes=3))
    ready = Export.objects.get(pk=export.pk)
    assert ready.state == "ready" and stored_names() == {ready.storage_name} != {half}
