"""After a change request: a new file takes the place of one that was sent, and both are told apart."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow, request_changes
from applications.models import Application, values_of
from applications.states import State
from demo.specimens import pdf
from ecare.journal.models import Entry
from evidence import actions
from evidence.files import Refused
from evidence.models import Evidence, StoredFile
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, stored_names, transmit, upload
from tests.factories import UserFactory

SCRIPT = {"headers": {"Accept": "application/json"}}


def now(application):
    return Application.objects.get(pk=application.pk)


def hand_back(application):
    """The ARS asks for changes."""
    ars = UserFactory(ars=True, regions=[application.establishment.region])
    request_changes(now(application), by=ars, version=now(application).version, message="Un RIB plus récent.")


@pytest.fixture
def sent(application):
    """A file that was sent, in a dossier handed back for changes; its space takes three."""
    evidence = put_in(application, name="ancien.pdf")
    transmit(application)
    hand_back(application)
    return Evidence.objects.get(pk=evidence.pk)


def replace(evidence, content=None, name="nouveau.pdf", **given):
    content = pdf(line="nouveau") if content is None else content
    by = given.pop("by", evidence.application.referent)
    return actions.replace(evidence, upload=upload(content, name), by=by, at=timezone.now(), **given)


def address(evidence):
    return reverse("evidence:replace", args=[evidence.file_id])


# --- the verb -----------------------------------------------------------------------------------------------------
def test_the_new_file_stands_and_the_former_stays_in_history(sent):
    new = replace(sent)
    old = Evidence.objects.get(pk=sent.pk)
    assert (new.replaces, new.added_after, new.withdrawn_after) == (old, 1, None)
    assert old.withdrawn_after == 1
    assert old.withdrawn_at
    assert [file["name"] for file in values_of(sent.application)["espace-1"]] == ["nouveau.pdf"]
    assert_no_orphan()
    assert StoredFile.objects.count() == 2


def test_the_history_of_the_dossier_names_both(sent):
    new = replace(sent)
    entry = Entry.objects.get(verb="replace_evidence")
    assert (entry.data["file"], entry.data["replaces"]) == (str(new.file_id), str(sent.file_id))
    assert entry.data["sha256"] == new.file.sha256


def test_a_full_space_takes_a_replacement(db):
    application = dossier_with({"max_files": 1})
    sent = put_in(application)
    transmit(application)
    hand_back(application)
    with pytest.raises(Refused, match="déjà 1"):
        put_in(now(application), pdf(line="2"))
    assert replace(Evidence.objects.get(pk=sent.pk))


def test_the_number_of_files_that_results_is_limited(sent):
    for n in range(2):
        put_in(sent.application, pdf(line=str(n)))
    sent.question.max_files = 2
    sent.question.save()
    with pytest.raises(Refused, match="déjà 2"):
        replace(Evidence.objects.get(pk=sent.pk))
    assert Evidence.objects.get(pk=sent.pk).withdrawn_after is None


def test_a_file_that_was_never_sent_is_not_replaced(sent):
    unsent = put_in(sent.application, pdf(line="brouillon"))
    with pytest.raises(NotNow, match="pas encore été transmis"):
        replace(unsent)
    assert Evidence.objects.current().count() == 2


def test_a_replacement_may_be_replaced_before_it_is_sent(sent, django_capture_on_commit_callbacks):
    wrong = replace(sent, name="mauvais.pdf")
    with django_capture_on_commit_callbacks(execute=True):
        right = replace(wrong, pdf(line="bon"), name="bon.pdf")
    assert right.replaces == sent
    assert not StoredFile.objects.filter(pk=wrong.file_id).exists()
    assert_no_orphan()


def test_a_replacement_taken_back_leaves_the_former_withdrawn(sent):
    new = replace(sent)
    actions.remove(new, by=sent.application.referent, at=timezone.now())
    assert not Evidence.objects.current().exists()
    assert not hasattr(Evidence.objects.get(), "replaced_by")


def test_the_same_bytes_replace_nothing(sent):
    with pytest.raises(Refused, match="déjà dans cet espace"):
        replace(sent, pdf())
    assert_no_orphan()
    assert Evidence.objects.get().withdrawn_after is None


def test_a_refused_file_changes_nothing(sent):
    with pytest.raises(Refused, match="son contenu est du texte"):
        replace(sent, b"bonjour")
    assert Evidence.objects.get().withdrawn_after is None
    assert len(stored_names()) == 1


def test_two_pages_replace_it_once(sent):
    page, other_page = (Evidence.objects.get(pk=sent.pk) for _ in range(2))
    replace(page)
    with pytest.raises(NotNow, match="retiré ou remplacé"):
        replace(other_page, pdf(line="autre"))
    assert Evidence.objects.current().count() == 1
    assert_no_orphan()


@pytest.mark.parametrize("trait", ["ars", "ans", None])
def test_nobody_but_the_referent_replaces_it(sent, trait):
    with pytest.raises(PermissionDenied):
        replace(sent, by=UserFactory(**({trait: True} if trait else {})))


def test_a_dossier_that_was_sent_keeps_its_files(sent):
    transmit(sent.application)
    with pytest.raises(NotNow, match="plus modifiable"):
        replace(Evidence.objects.get(pk=sent.pk))


# --- the pages ----------------------------------------------------------------------------------------------------
def form_page(application, client):
    return client.get(reverse("applications:detail", args=[application.reference])).text.replace("\u00a0", " ")


def test_only_a_sent_file_offers_it(sent, signed_in):
    client = signed_in(sent.application.referent)
    unsent = put_in(sent.application, pdf(line="brouillon"))
    page = form_page(sent.application, client)
    assert address(sent) in page
    assert address(unsent) not in page
    assert client.get(address(unsent)).status_code == 409


def test_the_page_shows_what_is_replaced_and_the_limits(sent, signed_in):
    page = signed_in(sent.application.referent).get(address(sent)).text
    for said in ("ancien.pdf", sent.file.sha256, "1\u00a0Mo maximum par fichier", "historique"):
        assert said in page


def test_without_script_the_page_replaces(sent, signed_in):
    client = signed_in(sent.application.referent)
    answer = client.post(address(sent), {"replacement": upload(pdf(line="n"), "nouveau.pdf")})
    assert answer.headers["Location"].endswith(f"/{sent.application.reference}/#espace-espace-1")
    page = form_page(sent.application, client)
    new = Evidence.objects.get(replaces=sent)
    for said in ("est remplacé", "Remplacé par « nouveau.pdf » le", sent.file.sha256, new.file.sha256):
        assert said in page


def test_a_refusal_is_told_at_the_field_and_in_the_summary(sent, signed_in):
    page = signed_in(sent.application.referent).post(address(sent), {"replacement": upload(b"", "vide.pdf")}).text
    assert page.count("«\u00a0vide.pdf\u00a0»\u00a0: ce fichier est vide") == 2
    assert 'href="#id_replacement"' in page
    assert Evidence.objects.get().withdrawn_after is None


def test_no_file_is_told(sent, signed_in):
    assert "Choisissez d’abord un fichier." in signed_in(sent.application.referent).post(address(sent), {"x": "1"}).text


def test_a_body_that_breaks_off_replaces_nothing(sent, signed_in):
    body = b'--limite\r\nContent-Disposition: form-data; name="replacement"; filename="n.pdf"\r\n'
    body += b"Content-Type: application/pdf\r\n\r\n" + pdf(50_000)
    client = signed_in(sent.application.referent)
    page = client.post(address(sent), body, content_type="multipart/form-data; boundary=limite").text
    assert "s’est interrompu" in page
    assert not Evidence.objects.exclude(pk=sent.pk).exists()


def test_the_button_of_the_form_keeps_what_was_typed_and_only_asks(db, signed_in):
    application = dossier_with({}, {"kind": "text"})
    evidence = put_in(application)
    transmit(application)
    hand_back(application)
    client = signed_in(application.referent)
    answer = client.post(address(evidence), {"_page": "1", "espace-2": "Précision", "espace-1": upload(pdf(line="2"))})
    assert answer.headers["Location"] == address(evidence)
    assert values_of(application)["espace-2"] == "Précision"


def test_the_script_is_told_where_to_go_or_why_not(sent, signed_in):
    client = signed_in(sent.application.referent)
    refused = client.post(address(sent), {"replacement": upload(b"", "vide.pdf")}, **SCRIPT)
    assert refused.status_code == 422
    assert "ce fichier est vide" in refused.json()["errors"][0]
    answer = client.post(address(sent), {"replacement": upload(pdf(line="n"))}, **SCRIPT)
    assert answer.json()["next"].endswith("#espace-espace-1")


def test_a_stranger_finds_no_page(sent, signed_in):
    for stranger in (UserFactory(), UserFactory(establishment=sent.application.establishment), UserFactory(ars=True)):
        assert signed_in(stranger).get(address(sent)).status_code == 404


def test_a_reviewer_may_not(sent, signed_in):
    assert signed_in(UserFactory(ans=True)).post(address(sent)).status_code == 403


def test_a_post_without_token_is_refused(sent, signed_in):
    client = signed_in(sent.application.referent)
    client.handler.enforce_csrf_checks = True
    assert client.post(address(sent), {"replacement": upload(pdf(line="n"))}).status_code == 403
    assert Evidence.objects.count() == 1


# --- what reviewers read ------------------------------------------------------------------------------------------
def reviewed(application, signed_in):
    page = signed_in(UserFactory(ans=True)).get(reverse("reviews:dossier", args=[application.reference])).text
    return page.replace("\u00a0", " ")


def test_reviewers_read_nothing_of_it_before_it_is_sent(sent, signed_in):
    replace(sent)
    page = reviewed(sent.application, signed_in)
    assert "ancien.pdf" in page
    assert "nouveau.pdf" not in page
    assert "Transmis auparavant" not in page


def test_reviewers_read_what_replaced_what_with_both_digests(sent, signed_in):
    new = replace(sent)
    transmit(sent.application)
    page = reviewed(sent.application, signed_in)
    assert "1 réponse modifiée" in page
    former = page.partition("Transmis auparavant")[2]
    for said in ("ancien.pdf", sent.file.sha256, "Remplacé par « nouveau.pdf » le", new.file.sha256):
        assert said in former
    assert reverse("evidence:download", args=[sent.file_id]) in former


def test_reviewers_read_what_was_taken_back(sent, signed_in):
    actions.remove(sent, by=sent.application.referent, at=timezone.now())
    transmit(sent.application)
    former = reviewed(sent.application, signed_in).partition("Transmis auparavant")[2]
    assert "ancien.pdf" in former
    assert "Retiré le" in former


def test_reviewers_do_not_read_what_a_later_draft_puts_in_the_place_of_a_sent_replacement(sent, signed_in):
    new = replace(sent)
    transmit(sent.application)
    hand_back(sent.application)
    replace(Evidence.objects.get(pk=new.pk), pdf(line="3"), name="secret.pdf")
    page = reviewed(sent.application, signed_in)
    assert "Remplacé par « nouveau.pdf »" in page
    assert "secret.pdf" not in page


def test_the_referent_reads_the_history_once_it_is_sent(sent, signed_in):
    replace(sent)
    transmit(sent.application)
    assert now(sent.application).state == State.SUBMITTED
    page = form_page(sent.application, signed_in(sent.application.referent))
    assert "1 fichier transmis auparavant" in page
    assert "Remplacé par « nouveau.pdf »" in page
