"""The copy that the establishment signed: sent, replaced, refused, countersigned; said on both sides."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from applications import actions as verbs
from applications.actions import NotNow
from applications.people import transfer
from conventions import actions
from conventions.models import SignedCopy
from conventions.rules import MAX_BYTES
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from evidence import vault
from evidence.files import Refused
from evidence.models import StoredFile
from reviews.actions import sign_convention
from reviews.models import Convention, Phrase
from tests.applications.life_cycle import ROLES, STATES, dossier
from tests.applications.pages import text_of
from tests.conventions.conftest import now, send, upload
from tests.evidence.conftest import assert_no_orphan, stored_names
from tests.factories import UserFactory
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db

REASON = "La deuxième page manque, et la signature n’est pas datée."


def page_of(application) -> str:
    return reverse("conventions:convention", args=[application.reference])


def refuse(application, *, by, message=REASON):
    version = now(application).version
    actions.refuse_copy(application, by=by, version=version, message=message, at=timezone.now())


def days(**other):
    return {"establishment_signed_on": timezone.localdate(), "signed_on": timezone.localdate()} | other


def letters() -> list[tuple[str, str]]:
    waiting = Letter.objects.exclude(state=Letter.State.CANCELLED).exclude(
        name__in=["submitted", "to_review", "accepted"]
    )
    return sorted(waiting.values_list("name", "recipient"))


# --- sending it -----------------------------------------------------------------------------------------------------
def test_the_referent_sends_it_and_both_sides_are_told(accepted, cast, signed_in):
    browser = signed_in(cast["owner"])
    assert "À signer par votre établissement" in text_of(browser.get(page_of(accepted)))
    page = browser.post(page_of(accepted), {"upload": upload()}, follow=True)
    assert "transmis à l’ANS" in text_of(page) and "À contresigner par l’ANS" in text_of(page)
    copy = SignedCopy.objects.get()
    assert (copy.by, copy.state, now(accepted).is_to_countersign) == (cast["owner"], "waiting", True)
    assert vault.open_stored(copy.file).read() == pdf(line="Convention signée")
    entry = Entry.objects.get(subject=accepted.subject, verb="send_copy")
    assert entry.data["sha256"] == copy.file.sha256
    assert letters() == [
        ("convention_to_countersign", cast["ans"].email),
        ("signed_copy_received", cast["owner"].email),
    ]


def test_the_dashboard_and_the_desk_say_whom_it_waits_for(accepted, cast, signed_in):
    home, desk = reverse("applications:dashboard"), reverse("reviews:dossier", args=[accepted.reference])
    referent, ans = signed_in(cast["owner"]), signed_in(cast["ans"])
    assert "Convention à signer –" in text_of(referent.get(home))
    assert "Convention à signer par l’établissement" in text_of(ans.get(desk))
    queue = reverse("reviews:queue")
    assert accepted.reference not in ans.get(queue).text, "it waits for the establishment"
    ars = text_of(signed_in(cast["ars"]).get(desk))
    assert "Rien à décider : l’établissement doit déposer la convention signée." in ars
    send(accepted)
    said = text_of(referent.get(home))
    assert "Convention à signer –" not in said and "convention à contresigner par l’ANS" in said
    assert "convention à signer" not in said, "one badge"
    assert accepted.reference in ans.get(queue).text
    said = text_of(ans.get(desk))
    assert "Convention à contresigner (ANS)" in said and "Refuser l’exemplaire signé" in said
    copy = reverse("conventions:copy", args=[SignedCopy.objects.get().pk])
    assert copy in ans.get(desk).text
    decision = ans.get(desk).text.partition("Votre décision")[2].partition("</section>")[0]
    assert "Refuser l’exemplaire signé" in decision and "Enregistrer la convention signée" in decision
    for name in ("sign_convention", "refuse_copy"):
        assert copy in ans.get(reverse(f"reviews:{name}", args=[accepted.reference])).text, "to read the date on it"
    assert "Refuser l’exemplaire" not in text_of(signed_in(cast["ars"]).get(desk))


def test_another_copy_takes_its_place_until_the_ans_has_recorded(accepted, cast):
    first = send(accepted)
    second = send(accepted, "Convention signée, deuxième essai")
    assert dict(SignedCopy.objects.values_list("pk", "state")) == {first.pk: "replaced", second.pk: "waiting"}
    assert letters().count(("convention_to_countersign", cast["ans"].email)) == 1, "the former call is withdrawn"
    with pytest.raises(Refused, match="déjà déposé"):
        send(accepted, "Convention signée, deuxième essai")
    sign_convention(accepted, by=cast["ans"], version=now(accepted).version, **days(), at=timezone.now())
    with pytest.raises(NotNow):
        send(accepted, "Trop tard")
    assert_no_orphan()


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"owner"}))
def test_nobody_else_sends_one(accepted, cast, role):
    with pytest.raises(PermissionDenied):
        actions.send_copy(accepted, upload=upload(), by=cast[role], at=timezone.now())
    assert not SignedCopy.objects.exists() and not stored_names()


@pytest.mark.parametrize("state", sorted(set(STATES) - {"accepted"}))
def test_none_is_sent_in_another_state(cast, state):
    application = dossier(state, owner=cast["owner"])
    with pytest.raises(NotNow):
        send(application)
    assert not SignedCopy.objects.exists() and not stored_names()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Convention.docx", pdf()),
        ("Convention.pdf", b"This is no PDF at all."),
        ("Convention.pdf", b""),
        ("Convention.pdf", pdf() + b" " * MAX_BYTES),
    ],
)
def test_a_file_that_is_no_pdf_of_ten_megabytes_at_most_is_refused(accepted, cast, signed_in, name, content):
    wrong = upload()
    wrong.file.seek(0), wrong.file.truncate(), wrong.file.write(content), wrong.file.seek(0)
    wrong.name, wrong.size = name, len(content)
    page = signed_in(cast["owner"]).post(page_of(accepted), {"upload": wrong})
    assert page.status_code == 200 and page.context["form"].errors["upload"]
    assert not SignedCopy.objects.exists() and not stored_names()


def test_two_files_at_once_and_more_than_five_a_day_are_refused(accepted, cast, signed_in):
    page = signed_in(cast["owner"]).post(page_of(accepted), {"upload": [upload("a"), upload("b")]})
    assert "un seul fichier" in text_of(page)
    for rank in range(actions.MOST_A_DAY):
        send(accepted, f"Essai {rank}")
    with pytest.raises(NotNow, match="en un jour"):
        send(accepted, "Un de trop")
    send(accepted, "Le lendemain", at=timezone.now() + timedelta(days=1, minutes=1))
    assert_no_orphan()


# --- refusing it ----------------------------------------------------------------------------------------------------
def test_the_ans_refuses_it_with_a_reason_and_another_may_come(accepted, cast, signed_in):
    send(accepted)
    address = reverse("reviews:refuse_copy", args=[accepted.reference])
    browser = signed_in(cast["ans"])
    assert cast["owner"].email in browser.get(address).text
    data = {"version": now(accepted).version, "message": REASON}
    assert "L’exemplaire signé est refusé" in text_of(browser.post(address, data, follow=True))
    copy = SignedCopy.objects.get()
    assert (copy.state, copy.decided_by, copy.message) == ("refused", cast["ans"], REASON)
    assert now(accepted).is_to_sign and now(accepted).state == "accepted"
    assert letters() == [("signed_copy_received", cast["owner"].email), ("signed_copy_refused", cast["owner"].email)]
    assert REASON in Letter.objects.get(name="signed_copy_refused").text
    page = text_of(signed_in(cast["owner"]).get(page_of(accepted)))
    assert "Exemplaire refusé" in page and REASON in page
    send(accepted, "Convention signée et datée")
    assert ("signed_copy_refused", cast["owner"].email) not in letters(), "it asked for what has come"
    assert browser.post(address, data).status_code == 409


def test_a_phrase_is_put_into_the_reason_and_nothing_is_refused(accepted, cast, signed_in):
    send(accepted)
    phrase = Phrase.objects.create(owner=cast["ans"], title="Date", text="Merci de dater la convention.")
    address = reverse("reviews:refuse_copy", args=[accepted.reference])
    typed = {"version": now(accepted).version, "message": "Bonjour."}
    answer = signed_in(cast["ans"]).post(address, typed | {"inserer": phrase.pk})
    assert answer.context["form"]["message"].value() == "Bonjour.\n\nMerci de dater la convention."
    assert SignedCopy.objects.get().state == "waiting"


@pytest.mark.parametrize("message", ["", "court"])
def test_no_reason_no_refusal(accepted, cast, signed_in, message):
    send(accepted)
    data = {"version": now(accepted).version, "message": message}
    page = signed_in(cast["ans"]).post(reverse("reviews:refuse_copy", args=[accepted.reference]), data)
    assert page.status_code == 200 and page.context["form"].errors["message"]
    assert SignedCopy.objects.get().is_waiting


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"ans"}))
def test_only_the_ans_refuses_one(accepted, cast, role):
    send(accepted)
    with pytest.raises(PermissionDenied):
        refuse(accepted, by=cast[role])
    assert SignedCopy.objects.get().is_waiting


def test_there_is_nothing_to_refuse_before_it_came(accepted, cast):
    with pytest.raises(NotNow):
        refuse(accepted, by=cast["ans"])


# --- countersigning it ----------------------------------------------------------------------------------------------
def record(client, application, **fields):
    data = {name: day.isoformat() for name, day in days().items()} | {"version": now(application).version} | fields
    return client.post(reverse("reviews:sign_convention", args=[application.reference]), data)


def test_the_ans_records_the_countersigned_copy(accepted, cast, signed_in):
    copy = send(accepted)
    assert record(signed_in(cast["ans"]), accepted, upload=upload("Contresignée")).status_code == 302
    convention = Convention.objects.get()
    assert convention.file != copy.file and StoredFile.objects.count() == 2
    copy.refresh_from_db()
    assert (copy.state, copy.decided_by) == ("countersigned", cast["ans"])
    assert ("convention_to_countersign", cast["ans"].email) not in letters()
    assert now(accepted).state == "declaration_open"
    page = signed_in(cast["owner"]).get(page_of(accepted))
    assert reverse("reviews:convention", args=[accepted.reference]) in page.text and "Convention signée" in text_of(
        page
    )


def test_the_copy_of_the_establishment_may_bear_all_signatures(accepted, cast, signed_in):
    copy = send(accepted)
    assert record(signed_in(cast["ans"]), accepted, keeps_copy="on").status_code == 302
    assert Convention.objects.get().file == copy.file
    answer = signed_in(cast["owner"]).get(reverse("reviews:convention", args=[accepted.reference]))
    assert b"".join(answer.streaming_content) == pdf(line="Convention signée")


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"keeps_copy": "on", "upload": "file"}, "pas les deux"), ({}, "ou cochez la case")],
)
def test_one_copy_is_recorded_neither_two_nor_none(accepted, cast, signed_in, fields, said):
    send(accepted)
    fields = {name: upload("Autre") if value == "file" else value for name, value in fields.items()}
    page = record(signed_in(cast["ans"]), accepted, **fields)
    assert page.status_code == 200 and said in text_of(page)
    assert not Convention.objects.exists() and StoredFile.objects.count() == 1


def test_the_ans_countersigns_after_the_establishment(accepted, cast, signed_in):
    type(accepted).objects.filter(pk=accepted.pk).update(moved_at=timezone.now() - timedelta(days=9))
    with unguarded():
        Entry.objects.filter(subject=accepted.subject, verb="accept").update(at=timezone.now() - timedelta(days=9))
    send(accepted)
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    page = record(signed_in(cast["ans"]), accepted, keeps_copy="on", signed_on=yesterday)
    assert page.status_code == 200 and "cette date précède la sienne" in text_of(page)
    page = record(signed_in(cast["ans"]), accepted, keeps_copy="on", establishment_signed_on=yesterday)
    assert page.status_code == 302
    assert Convention.objects.get().establishment_signed_on.isoformat() == yesterday


def test_a_copy_in_quarantine_is_not_kept_as_it_is(accepted, cast):
    send(accepted)
    StoredFile.objects.update(scan=StoredFile.Scan.INFECTED)
    with pytest.raises(NotNow, match="joignez"):
        sign_convention(accepted, by=cast["ans"], version=now(accepted).version, **days(), at=timezone.now())
    assert now(accepted).state == "accepted"


def test_a_page_that_showed_another_copy_is_old(accepted, cast, signed_in):
    """The référent replaces the copy while the ANS looks at the first: neither recorded nor refused unseen."""
    send(accepted)
    seen = now(accepted).version
    send(accepted, "Convention signée, autre")
    browser = signed_in(cast["ans"])
    assert record(browser, accepted, keeps_copy="on", version=seen).status_code == 409
    refusal = reverse("reviews:refuse_copy", args=[accepted.reference])
    assert browser.post(refusal, {"version": seen, "message": REASON}).status_code == 409
    assert SignedCopy.objects.waiting().count() == 1 and not Convention.objects.exists()


def test_a_dossier_that_the_ans_abandoned_takes_no_copy_and_calls_nobody(accepted, cast):
    send(accepted)
    verbs.abandon(accepted, by=cast["ans"], version=now(accepted).version, message=REASON)
    with pytest.raises(NotNow):
        send(accepted, "Trop tard")
    deliver()
    assert Letter.objects.get(name="convention_to_countersign").state == Letter.State.CANCELLED


def test_until_the_declaration_opens_the_referent_is_told_that_it_is_signed(accepted, cast):
    type(accepted.domain).objects.update(declaration_from=timezone.localdate() + timedelta(days=30))
    sign_convention(
        accepted, by=cast["ans"], version=now(accepted).version, **days(), upload=upload(), at=timezone.now()
    )
    assert ("convention_signed", cast["owner"].email) in letters()


# --- who reads it ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("owner", 200),
        ("colleague", 404),
        ("stranger", 404),
        ("ars", 200),
        ("ars_elsewhere", 404),
        ("ans", 200),
        ("administrator", 404),
    ],
)
def test_those_of_the_dossier_download_it_and_it_is_noted(accepted, cast, signed_in, role, status):
    copy = send(accepted)
    answer = signed_in(cast[role]).get(reverse("conventions:copy", args=[copy.pk]))
    assert (answer.status_code, b"%PDF" in answer.getvalue()) == (status, status == 200)
    assert Entry.objects.filter(verb="download_copy").exists() == (status == 200)


def test_who_took_over_the_dossier_signs_and_who_gave_it_no_longer_sees(accepted, cast, signed_in):
    transfer(accepted, by=cast["owner"], to=cast["colleague"], version=accepted.version)
    assert signed_in(cast["owner"]).get(page_of(accepted)).status_code == 404
    page = signed_in(cast["colleague"]).post(page_of(accepted), {"upload": upload()}, follow=True)
    assert "transmis à l’ANS" in text_of(page)


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_cost_the_same_however_many_copies(accepted, cast, signed_in, count):
    for rank in range(count):
        send(accepted, f"Essai {rank}")
    UserFactory.create_batch(count, ans=True)
    pages = {page_of(accepted): cast["owner"], reverse("reviews:refuse_copy", args=[accepted.reference]): cast["ans"]}
    asked = []
    for address, person in pages.items():
        browser = signed_in(person)
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        asked.append(len(queries))
    assert asked == [12, 29]
