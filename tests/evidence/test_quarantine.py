"""A file that the antivirus condemned: nobody reads it, those concerned are told, its space is open for it alone."""

import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from applications.actions import Incomplete, NotNow, accept, request_changes, submit
from applications.corrections import Named, opening_of
from applications.models import Application, Submission
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from evidence import actions, quarantine, scans
from evidence.models import Evidence, StoredFile
from evidence.rules import is_reopened
from exports import actions as exports
from exports.models import Export
from reviews.concerns import concerns
from tests.evidence.arriving import parts_of, start
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, space_of, transmit, upload
from tests.evidence.scanning import FOUND, found_infected, in_hand, now
from tests.exports.conftest import built, content_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def application(db):
    return dossier_with({}, {})


@pytest.fixture
def cast(application):
    return {
        "owner": application.referent,
        "ars": UserFactory(ars=True, regions=[application.establishment.region]),
        "ans": UserFactory(ans=True),
        "elsewhere": UserFactory(ars=True),
    }


def read(application):
    return Application.objects.get(pk=application.pk)


def replace(evidence, content=None, name="sain.pdf"):
    now_ = Evidence.objects.get(pk=evidence.pk)
    content = pdf(line="sain") if content is None else content
    by = now_.application.referent
    return actions.replace(now_, upload=upload(content, name), by=by, at=timezone.now())


def told(name) -> set[str]:
    return set(Letter.objects.filter(name=name).values_list("recipient", flat=True))


# --- nobody reads it ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scan", "said"),
    [
        ("pending", "n’a pas encore analysé"),
        ("infected", "en quarantaine"),
        ("failed", "n’a pas pu analyser"),
    ],
)
@pytest.mark.parametrize("address", ["evidence:download", "evidence:preview"])
@pytest.mark.parametrize("who", ["owner", "ars", "ans"])
def test_its_pages_say_why(application, cast, signed_in, scan, said, address, who):
    """Seen to fail when a state is readable: the file is handed over."""
    evidence = put_in(application)
    transmit(application)
    StoredFile.objects.update(scan=scan)
    answer = signed_in(cast[who]).get(reverse(address, args=[evidence.file_id]))
    assert answer.status_code == 409 and said in answer.text
    assert not Entry.objects.filter(verb="download_evidence").exists()


# --- a draft ------------------------------------------------------------------------------------------------------
def test_in_a_draft_it_is_said_at_its_space_and_to_its_referent_alone(application, cast, signed_in):
    evidence = put_in(application)
    found_infected(evidence)
    assert told("file_quarantined") == {application.referent.email}
    letter = Letter.objects.get(name="file_quarantined")
    assert "n’a pas encore été transmis" in letter.text and FOUND in letter.text and "RIB.pdf" in letter.text
    client = signed_in(cast["owner"])
    page = client.get(reverse("applications:detail", args=[application.reference])).text
    assert "retirez-le, puis déposez un fichier sain" in page and "que personne ne peut lire" in page
    assert "infecté, en quarantaine" in client.get(reverse("applications:recap", args=[application.reference])).text
    actions.remove(evidence, by=application.referent, at=timezone.now())
    put_in(application, pdf(line="sain"), "sain.pdf")
    transmit(application)
    agents = signed_in(cast["ars"]).get(reverse("reviews:dossier", args=[application.reference])).text
    assert "quarantaine" not in agents, "what stood in the draft is its référent's alone"


def test_a_step_with_an_infected_file_is_not_transmitted(application, cast, signed_in):
    """Seen to fail when nobody objects to the sending."""
    evidence = put_in(application)
    found_infected(evidence)
    draft = read(application)
    with pytest.raises(Incomplete, match=r"«\u00a0RIB.pdf\u00a0».*infecté"):
        submit(draft, by=draft.referent, version=draft.version, at=timezone.now())
    client = signed_in(cast["owner"])
    address = reverse("applications:submit", args=[draft.reference])
    answer = client.post(address, {"version": draft.version}, follow=True)
    assert "Retirez-le ou remplacez-le" in answer.text
    assert not Submission.objects.exists()


@pytest.mark.parametrize("scan", ["pending", "failed"])
def test_one_that_the_antivirus_has_not_seen_to_its_end_keeps_nobody_from_transmitting(application, scan):
    put_in(application)
    StoredFile.objects.update(scan=scan)
    transmit(application)
    assert read(application).state == "submitted"


def test_one_in_a_space_that_the_answers_hide_is_not_sent_anyway(db):
    application = dossier_with({"shown_if": {"espace-2": ["oui"]}}, {"kind": "text"})
    actions.write_answer(application, space_of(application, "espace-2"), "oui")
    evidence = put_in(application)
    actions.write_answer(application, space_of(application, "espace-2"), "non")
    found_infected(evidence)
    transmit(application)


# --- once sent ----------------------------------------------------------------------------------------------------
def test_once_sent_the_referent_and_the_desk_are_told_and_the_journal_keeps_it(application, cast):
    evidence = put_in(application)
    transmit(application)
    found_infected(evidence)
    assert told("file_quarantined") == {cast["owner"].email, cast["ars"].email}
    of_owner, of_desk = (
        Letter.objects.get(name="file_quarantined", recipient=cast[who].email) for who in ("owner", "ars")
    )
    assert "la date de votre envoi ne change pas" in of_owner.text and "service informatique" in of_owner.text
    assert "L’établissement est prévenu" in of_desk.text and "service informatique" not in of_desk.text
    entry = Entry.objects.get(verb="quarantine_file")
    assert (entry.actor, entry.data["found"], "name" in entry.data) == ("system", FOUND, False)
    assert (read(application).state, read(application).sendings) == ("submitted", 1)


def test_only_that_file_may_be_replaced_and_it_leaves_at_once(application, cast):
    """Seen to fail when the space is opened as a whole."""
    infected, other = put_in(application), put_in(application, pdf(line="2"), "2.pdf")
    neighbour = put_in(application, pdf(line="3"), "3.pdf", "espace-2")
    transmit(application)
    found_infected(infected)
    before, first = read(application), Submission.objects.get()
    for closed in (other, neighbour):
        with pytest.raises(NotNow):
            replace(closed, pdf(line="autre"))
    with pytest.raises(NotNow):
        put_in(read(application), pdf(line="de plus"), "4.pdf")
    with pytest.raises(NotNow):
        actions.remove(Evidence.objects.get(pk=infected.pk), by=cast["owner"], at=timezone.now())
    fresh = replace(infected)
    after, second = read(application), Submission.objects.get(number=2)
    assert (after.state, after.candidature_submitted_at, after.moved_at) == (
        before.state,
        before.candidature_submitted_at,
        before.moved_at,
    )
    assert after.version == before.version + 1, "pages that show it as it was are old"
    assert Submission.objects.get(number=1).content == first.content
    listed = [file["id"] for file in second.content["answers"]["espace-1"]]
    assert listed == [str(fresh.file_id), str(other.file_id)] and second.is_supplement
    assert second.content["answers"]["espace-2"] == first.content["answers"]["espace-2"]
    assert Evidence.objects.visible_to(cast["ars"]).filter(pk=fresh.pk).exists(), "reviewers read it"
    assert told("withheld_file_replaced") == {cast["owner"].email, cast["ars"].email}
    assert second.digest in Letter.objects.get(name="withheld_file_replaced", recipient=cast["owner"].email).text
    entry = Entry.objects.get(verb="replace_withheld")
    assert (entry.data["replaces"], entry.data["digest"]) == (str(infected.file_id), second.digest)
    with pytest.raises(NotNow):
        replace(fresh, pdf(line="encore"))
    assert_no_orphan()


def test_the_new_file_may_be_infected_too(application, cast):
    evidence = put_in(application)
    transmit(application)
    found_infected(evidence)
    second = replace(evidence)
    found_infected(second)
    third = replace(second, pdf(line="3"))
    assert [one.number for one in Submission.objects.order_by("number")] == [1, 2, 3]
    assert third.replaces_id == second.pk
    assert read(application).sendings == 3


def test_nobody_else_replaces_it(application, cast, signed_in):
    evidence = put_in(application)
    transmit(application)
    found_infected(evidence)
    address = reverse("evidence:replace", args=[evidence.file_id])
    colleague = UserFactory(establishment=application.establishment)
    for person, status in ((cast["ars"], 403), (cast["ans"], 403), (colleague, 404), (cast["elsewhere"], 404)):
        given = {"replacement": SimpleUploadedFile("a.pdf", pdf(line="sain"))}
        assert signed_in(person).post(address, given).status_code == status
    with pytest.raises(PermissionDenied):
        actions.replace(Evidence.objects.get(), upload=upload(pdf(line="x")), by=colleague, at=timezone.now())
    assert Submission.objects.count() == 1


def test_through_the_pages(application, cast, signed_in):
    evidence = put_in(application)
    transmit(application)
    found_infected(evidence)
    client = signed_in(cast["owner"])
    dossier = reverse("applications:detail", args=[application.reference])
    address = reverse("evidence:replace", args=[evidence.file_id])
    assert address in client.get(dossier).text
    assert "La date de transmission de votre dossier ne change pas" in client.get(address).text
    given = {"replacement": SimpleUploadedFile("sain.pdf", pdf(line="sain"))}
    page = client.post(address, given, follow=True).text
    assert "le nouveau est transmis" in page and "Fichier remplacé et transmis" in page and "premier envoi" in page
    assert address not in page and "que personne ne peut lire" not in page
    agents = signed_in(cast["ars"]).get(reverse("reviews:dossier", args=[application.reference])).text
    assert "Nouveau fichier" in agents and "Remplacé par «\u00a0sain.pdf\u00a0»" in agents
    assert "a remplacé un fichier que personne ne pouvait lire" in agents


def test_a_large_one_comes_in_parts(application, cast, signed_in):
    evidence = put_in(application)
    transmit(application)
    found_infected(evidence)
    content, client = pdf(900_000, line="grand"), signed_in(cast["owner"])
    begun = start(read(application), content, replaces=Evidence.objects.get())
    for rank, part in enumerate(parts_of(content)):
        address = reverse("evidence:receive_part", args=[begun.pk, rank])
        assert client.post(address, part, content_type="application/octet-stream").status_code == 200
    answer = client.post(reverse("evidence:finish_upload", args=[begun.pk]))
    assert answer.status_code == 200 and "#question-espace-1" in answer.json()["next"]
    assert Submission.objects.count() == 2


def test_a_file_that_could_not_be_scanned_may_be_replaced_as_well(application, cast):
    evidence = put_in(application)
    transmit(application)
    scans.give_up(in_hand(evidence), found="x", at=timezone.now())
    assert not Letter.objects.filter(name="file_quarantined").exists()
    replace(evidence)
    assert Submission.objects.count() == 2


# --- a correction -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_named_first", [True, False])
def test_a_change_request_that_opens_something_else_leaves_the_file_open(application, cast, is_named_first):
    infected = put_in(application)
    put_in(application, pdf(line="2"), "2.pdf", "espace-2")
    transmit(application)
    if not is_named_first:
        found_infected(infected)
    dossier = read(application)
    named = [Named("espace-2", "", "Page 2 illisible.")]
    asked = {"message": "Corrigez.", "due_on": timezone.localdate() + timedelta(days=7), "named": named}
    request_changes(dossier, by=cast["ars"], version=dossier.version, **asked)
    if is_named_first:
        found_infected(infected)
        [item] = [item for item in opening_of(read(application)).items if item.question.key == "espace-1"]
        assert item.file == infected.file_id and "infecté" in item.remark
        letter = Letter.objects.get(name="file_quarantined", recipient=cast["owner"].email)
        assert "au plus tard le" in letter.text
    fresh = replace(infected)
    assert Submission.objects.count() == 1, "it leaves with the correction"
    transmit(application)
    assert str(fresh.file_id) in str(Submission.objects.get(number=2).content)


def test_what_a_correction_changed_is_still_shown_once_a_file_was_replaced(application, cast, signed_in):
    infected = put_in(application)
    put_in(application, pdf(line="2"), "2.pdf", "espace-2")
    transmit(application)
    dossier = read(application)
    named = [Named("espace-2", "", "Page 2 illisible.")]
    request_changes(dossier, by=cast["ars"], version=dossier.version, message="Corrigez.", named=named)
    former = Evidence.objects.get(question__key="espace-2")
    replace(former, pdf(line="2 bis"), "2 bis.pdf")
    transmit(application)
    found_infected(infected)
    replace(infected)
    page = signed_in(cast["ars"]).get(reverse("reviews:dossier", args=[application.reference])).text
    assert "Modification demandée" in page and "Demandée, non modifiée" not in page
    assert "2 réponses modifiées" in page


# --- agents -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scan", "said"),
    [
        ("pending", "n’a pas encore été analysé par l’antivirus"),
        ("infected", "est infecté et en quarantaine"),
        ("failed", "n’a pas pu être analysé"),
    ],
)
def test_before_a_dossier_goes_on_the_agent_reads_which_files_nobody_read(application, cast, scan, said):
    put_in(application)
    transmit(application)
    StoredFile.objects.update(scan=scan)
    [concern] = concerns(read(application), user=cast["ars"])
    assert said in concern.said
    dossier = read(application)
    accept(dossier, by=cast["ars"], version=dossier.version)  # the agent decides


def test_the_queue_is_narrowed_to_them(application, cast, signed_in):
    evidence = put_in(application)
    put_in(dossier_with({}), pdf())
    transmit(application)
    client, address = signed_in(cast["ans"]), reverse("reviews:queue")

    def found(which):
        return application.reference in client.get(address, {"etat": "tous", "fichiers": which}).text

    for scan, expected in (("pending", (False, True)), ("infected", (True, False)), ("failed", (True, False))):
        StoredFile.objects.filter(pk=evidence.file_id).update(scan=scan)
        assert (found("quarantaine"), found("analyse")) == expected
    StoredFile.objects.update(scan="clean")
    assert (found("quarantaine"), found("analyse")) == (False, False)


def test_the_ans_asks_for_another_scan_on_the_dossier(application, cast, signed_in, settings):
    settings.SCANNER = "clamd:///nowhere"
    evidence = put_in(application)
    transmit(application)
    StoredFile.objects.update(scan="failed", scan_after=None)
    address = reverse("evidence:scan_again", args=[evidence.file_id])
    dossier = reverse("reviews:dossier", args=[application.reference])
    assert address not in signed_in(cast["ars"]).get(dossier).text
    client = signed_in(cast["ans"])
    assert address in client.get(dossier).text
    assert "à son tour" in client.post(address, follow=True).text
    assert now(evidence).scan == "pending"
    for who, status in (("owner", 403), ("ars", 403), ("elsewhere", 404)):
        assert signed_in(cast[who]).post(address).status_code == status


def test_an_administrator_asks_for_it_in_the_register(application, admin, settings):
    settings.SCANNER = "clamd:///nowhere"
    evidence = put_in(application)
    StoredFile.objects.update(scan="failed", scan_after=None, scan_found="Heuristics.Limits")
    address = reverse("admin:evidence_storedfile_changelist")
    assert "Heuristics.Limits" in admin.get(address, {"scan__exact": "failed"}).text
    chosen = {"action": "scan_selection", "_selected_action": [str(evidence.file_id)]}
    assert "à leur tour" in admin.post(address, chosen).text and now(evidence).scan == "failed"
    admin.post(address, chosen | {"confirmed": "1"})
    assert now(evidence).scan == "pending"


# --- letters ------------------------------------------------------------------------------------------------------
def test_letters_that_wait_do_not_leave_once_the_file_was_replaced(application, cast):
    evidence = put_in(application)
    transmit(application)
    Letter.objects.all().delete()
    found_infected(evidence)
    replace(evidence)
    deliver()
    states = set(Letter.objects.filter(name="file_quarantined").values_list("state", flat=True))
    assert states == {Letter.State.CANCELLED}
    sent = set(Letter.objects.filter(name="withheld_file_replaced").values_list("state", flat=True))
    assert sent == {Letter.State.SENT}


def test_a_false_alarm_is_lifted_and_those_who_were_told_are_told(application, cast):
    evidence = put_in(application)
    transmit(application)
    found_infected(evidence)
    Letter.objects.filter(recipient=cast["owner"].email).update(state="sent", sent_at=timezone.now())
    scans.clear(in_hand(evidence), at=timezone.now())
    assert now(evidence).is_readable and now(evidence).scan_found == ""
    assert told("quarantine_lifted") == {cast["owner"].email}, "the agent's call had not left: nothing to take back"
    waiting = Letter.objects.get(name="file_quarantined", recipient=cast["ars"].email)
    assert waiting.state == Letter.State.CANCELLED
    assert Entry.objects.filter(verb="lift_quarantine").count() == 1
    assert not is_reopened(Evidence.objects.get(), read(application))


def test_history_is_quarantined_without_a_letter(application, cast):
    evidence = put_in(application)
    transmit(application)
    StoredFile.objects.update(scan="failed")
    replace(evidence)
    StoredFile.objects.update(scan="clean")
    found_infected(evidence)
    assert now(evidence).is_infected and Entry.objects.filter(verb="quarantine_file").exists()
    assert not Letter.objects.filter(name="file_quarantined").exists()


def test_what_was_found_a_second_time_is_told_once(application, cast):
    evidence = put_in(application)
    transmit(application)
    found_infected(evidence)
    quarantine.quarantine(in_hand(evidence), found=FOUND, at=timezone.now())
    assert Letter.objects.filter(name="file_quarantined").count() == 2
    assert Entry.objects.filter(verb="quarantine_file").count() == 1


# --- exports ------------------------------------------------------------------------------------------------------
def test_an_archive_leaves_it_out_and_says_so(application, cast):
    evidence = put_in(application)
    kept = put_in(application, pdf(line="2"), "2.pdf")
    transmit(application)
    found_infected(evidence)
    package = zipfile.ZipFile(
        BytesIO(content_of(built(Export.Kind.DOSSIER_ZIP, by=cast["ans"], what=application.reference)))
    )
    index = package.read("INDEX.csv").decode()
    [line] = [line for line in index.splitlines() if evidence.file.sha256 in line]
    assert "Infecté, mis en quarantaine" in line and "non fourni" in line
    assert [name for name in package.namelist() if name.endswith(".pdf")] == ["1-candidature/espace-1/2.pdf"]
    assert kept.file.sha256 in index


def test_an_archive_made_before_is_not_handed_over_any_more(application, cast):
    """Seen to fail when nobody asks what was found since."""
    evidence = put_in(application)
    transmit(application)
    archive = built(Export.Kind.DOSSIER_ZIP, by=cast["ans"], what=application.reference)
    sheet = built(Export.Kind.QUEUE_CSV, by=cast["ans"])
    for one in (archive, sheet):
        exports.check_download(one, by=cast["ans"], at=timezone.now())
    found_infected(evidence)
    with pytest.raises(NotNow, match="infecté"):
        exports.check_download(archive, by=cast["ans"], at=timezone.now())
    exports.check_download(sheet, by=cast["ans"], at=timezone.now())
    assert exports.forget(at=timezone.now()) == 1
