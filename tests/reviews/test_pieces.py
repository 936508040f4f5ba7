"""Files accepted or refused piece by piece, beside their preview."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Application
from applications.states import Desk, State
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence.models import Evidence
from reviews.models import FileVerdict
from reviews.remarks import Judged, judge
from tests.evidence.conftest import dossier_with, put_in, transmit
from tests.factories import RegionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def application():
    """Sent with two files in one space, and none in another."""
    found = dossier_with({"label": "RIB"}, {"label": "Statuts"})
    put_in(found, name="RIB 1.pdf")
    put_in(found, pdf(line="deux"), name="RIB 2.pdf")
    transmit(found)
    return Application.objects.get(pk=found.pk)


@pytest.fixture
def ars(application):
    return UserFactory(ars=True, regions=[application.establishment.region])


@pytest.fixture
def files(application):
    return [str(pk) for pk in Evidence.objects.order_by("pk").values_list("file_id", flat=True)]


def said():
    return {(one.file.name, one.desk): (one.decision, one.remark) for one in FileVerdict.objects.select_related("file")}


def test_each_file_is_accepted_or_refused_with_a_remark(application, ars, files):
    judged = [Judged(files[0], "accepted"), Judged(files[1], "refused", "Illisible.")]
    assert judge(application, by=ars, judged=judged, at=timezone.now()) == 2
    assert said() == {("RIB 1.pdf", "ars"): ("accepted", ""), ("RIB 2.pdf", "ars"): ("refused", "Illisible.")}
    entry = Entry.objects.get(verb="judge_files")
    assert [one["decision"] for one in entry.data["files"]] == ["accepted", "refused"]
    assert Letter.objects.exclude(name__in=["submitted", "to_review"]).count() == 0


def test_what_is_said_again_is_no_event_and_what_is_taken_back_is_gone(application, ars, files):
    judge(application, by=ars, judged=[Judged(files[0], "accepted")], at=timezone.now())
    assert judge(application, by=ars, judged=[Judged(files[0], "accepted")], at=timezone.now()) == 0
    assert judge(application, by=ars, judged=[Judged(files[0], "")], at=timezone.now()) == 1
    assert said() == {}
    assert Entry.objects.filter(verb="judge_files").count() == 2


@pytest.mark.parametrize("file", ["0" * 32, "x", ""])
def test_a_file_that_was_not_sent_is_refused_whole(file, application, ars, files):
    with pytest.raises(NotNow, match="rechargez la page"):
        judge(application, by=ars, judged=[Judged(files[0], "accepted"), Judged(file, "accepted")], at=timezone.now())
    assert said() == {}


@pytest.mark.parametrize(
    ("traits", "refusal"),
    [({"ans": True}, NotNow), ({"administrator": True}, PermissionDenied), ({}, PermissionDenied)],
)
def test_nobody_else_judges(traits, refusal, application, files):
    with pytest.raises(NotNow if traits == {"ans": True} else PermissionDenied):
        judge(application, by=UserFactory(**traits), judged=[Judged(files[0], "accepted")], at=timezone.now())


def test_an_agent_of_another_region_judges_nothing(application, files):
    far = UserFactory(ars=True, regions=[RegionFactory(code="75")])
    with pytest.raises(NotNow):
        judge(application, by=far, judged=[Judged(files[0], "accepted")], at=timezone.now())
    assert said() == {}


# --- the page -----------------------------------------------------------------------------------------------------
def address(application):
    return reverse("reviews:pieces", args=[application.reference])


def test_the_page_judges_and_says_that_nothing_leaves(application, ars, files, signed_in):
    typed = {f"decision-{files[0]}": "accepted", f"decision-{files[1]}": "refused", f"remark-{files[1]}": "Illisible."}
    answer = signed_in(ars).post(address(application), typed, follow=True)
    assert "Rien n’est envoyé à l’établissement." in answer.content.decode()
    assert said()["RIB 2.pdf", "ars"] == ("refused", "Illisible.")


def test_a_refusal_needs_a_reason_and_nothing_typed_is_lost(application, ars, files, signed_in):
    typed = {f"decision-{files[0]}": "accepted", f"decision-{files[1]}": "refused", f"remark-{files[1]}": " "}
    answer = signed_in(ars).post(address(application), typed)
    page = answer.content.decode()
    assert page.count("Dites pourquoi «\u00a0RIB 2.pdf\u00a0» est refusée.") == 2
    assert answer.context["form"][f"decision-{files[1]}"].value() == "refused"
    assert answer.context["form"][f"decision-{files[0]}"].value() == "accepted"
    assert said() == {}


def test_the_chosen_file_is_shown_beside_in_a_sandbox(application, ars, files, signed_in):
    browser = signed_in(ars)
    answer = browser.get(address(application), {"piece": files[1]})
    preview = reverse("evidence:preview", args=[files[1]])
    assert (
        f'<iframe class="ecare-preview__frame" src="{preview}" title="Aperçu de RIB 2.pdf">' in answer.content.decode()
    )
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    shown = browser.get(preview)
    assert shown.getvalue().startswith(b"%PDF")
    assert shown.headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'self'"
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "<iframe" not in browser.get(address(application), {"piece": "ailleurs"}).content.decode()


def test_a_download_stands_in_no_frame(application, ars, files, signed_in):
    answer = signed_in(ars).get(reverse("evidence:download", args=[files[0]]))
    assert answer.getvalue() == pdf()
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_other_desk_reads_what_was_said_and_types_nothing(application, ars, files, signed_in):
    judge(application, by=ars, judged=[Judged(files[1], "refused", "Illisible.")], at=timezone.now())
    page = signed_in(UserFactory(ans=True)).get(address(application)).content.decode()
    assert "Illisible." in page
    assert "<textarea" not in page


def test_refused_files_are_named_at_first_in_a_change_request(application, ars, files, signed_in):
    judge(application, by=ars, judged=[Judged(files[1], "refused", "Illisible.")], at=timezone.now())
    answer = signed_in(ars).get(reverse("reviews:request_changes", args=[application.reference]))
    spaces = [space for chapter in answer.context["form"].chapters for space in chapter.choices]
    choices = {choice.file: choice for space in spaces for choice in space.files}
    assert [choices[file].box.value() for file in files] == [False, True]
    assert choices[files[1]].remark.value() == "Illisible."


def test_each_desk_has_a_verdict_of_its_own(application, ars, files):
    judge(application, by=ars, judged=[Judged(files[0], "accepted")], at=timezone.now())
    FileVerdict.objects.create(
        application=application, file_id=files[0], desk=Desk.ANS, decision="refused", remark="Flou.", by=ars
    )
    assert len(said()) == 2
    assert application.state == State.SUBMITTED
