"""« Mes exports »: asked from the queue and from a dossier, followed, fetched; whose they are."""

import re

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from applications.states import State
from ecare.journal.models import Entry
from exports import actions
from exports.models import Export
from tests.exports.conftest import asked, built, content_of, domain_of_all_kinds, sent_dossier
from tests.factories import ApplicationFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/verification/exports/"
Kind = Export.Kind
CSV = Kind.QUEUE_CSV


def address(name, export):
    return reverse(f"exports:{name}", args=[export.number])


def fetched(client, export):
    answer = client.get(address("download", export))
    return answer.status_code, answer.getvalue()


def test_the_queue_exports_what_it_shows(ars, signed_in):
    client = signed_in(ars)
    dossier = ApplicationFactory(state=State.SUBMITTED)
    page = client.get("/verification/", {"etat": "submitted", "sort": "-moved_at", "per_page": "10"}).content.decode()
    query = re.search(r'name="query" value="([^"]*)"', page)[1].replace("&amp;", "&")
    answer = client.post(reverse("exports:ask_view"), {"kind": "queue_csv", "query": query}, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    export = Export.objects.get()
    assert (export.kind, export.what, export.asked_by) == (CSV, "etat=submitted&sort=-moved_at", ars)
    assert export.label == "État\u00a0: Candidature à vérifier (ARS)"
    text = answer.content.decode()
    assert "Votre export est demandé" in text and "En attente" in text and export.label in text
    export = built(CSV, by=ars, what=export.what)
    assert dossier.reference in content_of(export).decode()


def test_a_view_is_named_by_its_criteria(ars, signed_in):
    domain = domain_of_all_kinds(name="Domaine 1", slug="d1")
    query = f"q=Béziers&domaine={domain.slug}&type=ght&montant_min=12 000,50&suivi=moi&inconnu=1&apres=xyz"
    signed_in(ars).post(reverse("exports:ask_view"), {"kind": "queue_xlsx", "query": query})
    export = Export.objects.get()
    assert "inconnu" not in export.what and "apres" not in export.what
    said = export.label.replace("\u00a0", " ")
    assert said == (
        "Rechercher : Béziers, État : À traiter par l’ARS, Domaine : Domaine 1, "
        "Type d’établissement : Groupement Hospitalier de Territoire, Suivi par : Moi, "
        "Montant demandé, au moins (€) : 12 000,50"
    )


@pytest.mark.parametrize("typed", [{}, {"kind": "domain_archive"}, {"kind": "queue_csv", "query": "q=" + "a" * 2100}])
def test_nonsense_is_refused_with_a_sentence(ars, signed_in, typed):
    answer = signed_in(ars).post(reverse("exports:ask_view"), typed)
    assert answer.status_code == 409 and "ne peut pas être exportée" in answer.content.decode()
    assert not Export.objects.exists()


def test_a_dossier_is_asked_for_from_its_page(ars, signed_in):
    dossier = ApplicationFactory(state=State.SUBMITTED)
    client = signed_in(ars)
    page = client.get(reverse("reviews:dossier", args=[dossier.reference])).content.decode()
    for form, kind in (("pdf", Kind.DOSSIER_PDF), ("pieces", Kind.DOSSIER_ZIP)):
        url = reverse("exports:ask_dossier", args=[dossier.reference, form])
        assert f'action="{url}"' in page
        assert client.post(url).status_code == 302
        assert Export.objects.get(kind=kind).what == dossier.reference
    assert client.post(reverse("exports:ask_dossier", args=[dossier.reference, "autre"])).status_code == 404
    elsewhere = signed_in(UserFactory(ars=True, regions=[RegionFactory(code="75")]))
    assert elsewhere.post(url).status_code == 404


def test_the_ans_archives_a_domain(ans, ars, signed_in):
    domain = domain_of_all_kinds(name="Domaine 1", slug="d1")
    client, url = signed_in(ans), reverse("exports:ask_archive")
    assert "Archive d’un domaine" in client.get(LIST).content.decode()
    refused = client.post(url, {"archived": ""})
    assert refused.status_code == 200 and "Choisissez le domaine à archiver." in refused.content.decode()
    assert client.post(url, {"archived": domain.slug}).status_code == 302
    assert Export.objects.get().label == "Domaine 1"
    other = signed_in(ars)
    assert "Archive d’un domaine" not in other.get(LIST).content.decode()
    assert other.post(url, {"archived": domain.slug}).status_code == 403


# --- the list -----------------------------------------------------------------------------------------------------
def test_everybody_sees_their_own_only(ars, ans, signed_in):
    mine, other = asked(CSV, by=ars, label="À MOI"), asked(CSV, by=ans, label="À L’ANS")
    page = signed_in(ars).get(LIST).content.decode()
    assert "À MOI" in page and "À L’ANS" not in page
    for person in (ans, UserFactory(ars=True, regions=list(ars.regions.all()))):
        client = signed_in(person)
        assert client.post(address("cancel", mine)).status_code == 404
        assert client.get(address("download", mine)).status_code == 404
    assert signed_in(ars).post(address("cancel", other)).status_code == 404
    assert Export.objects.unfinished().count() == 2


def test_each_state_says_what_can_be_done(ars, signed_in):
    client = signed_in(ars)
    export = asked(CSV, by=ars)
    page = client.get(LIST).content.decode()
    assert address("cancel", export) in page and "Actualiser" in page and "Télécharger" not in page
    Export.objects.filter(pk=export.pk).update(state="building", done=1200, total=4800, lease=export.pk)
    page = client.get(LIST).content.decode()
    assert '<progress class="ecare-exports__progress" max="100" value="25"' in page
    assert "25\u00a0%, 1\u00a0200 sur 4\u00a0800 dossiers" in page
    assert client.post(address("cancel", export), follow=True).status_code == 200
    page = client.get(LIST).content.decode()
    assert "Annulé" in page and "Actualiser" not in page and address("cancel", export) not in page
    ready = built(CSV, by=ars)
    page = client.get(LIST).content.decode()
    assert address("download", ready) in page and ready.sha256 in page and "jusqu’au" in page


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(ans, signed_in, count, django_assert_num_queries):
    for rank in range(count):
        export = built(CSV, by=ans, what=f"q={rank}")
        for _ in range(rank + 1):
            actions.note_download(export, by=ans)
    client = signed_in(ans)
    client.get(LIST)
    with django_assert_num_queries(8):
        page = client.get(LIST).content.decode()
    assert page.count("Télécharger") == count


# --- fetch --------------------------------------------------------------------------------------------------------
def test_it_leaves_as_an_attachment_in_a_sandbox_and_each_time_is_noted(ars, signed_in):
    dossier = sent_dossier(domain_of_all_kinds())
    export, client = built(Kind.DOSSIER_PDF, by=ars, what=dossier.reference), signed_in(ars)
    answer = client.get(address("download", export))
    assert answer.getvalue() == content_of(export)
    assert answer["Content-Disposition"] == f'attachment; filename="eCaRE-{dossier.reference}.pdf"'
    assert answer["Content-Length"] == str(export.size)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["Cache-Control"] == "no-store, private"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert fetched(client, export) == (200, content_of(export))
    for subject in (export.subject, dossier.subject):
        noted = Entry.objects.filter(subject=subject, verb="download_export")
        assert [entry.actor for entry in noted] == [f"user:{ars.pk}"] * 2
        assert noted[0].data["sha256"] == export.sha256
    assert "2 téléchargements" in client.get(LIST).content.decode()
    assert Export.objects.get(pk=export.pk).downloads == 2
    assert client.head(address("download", export)).status_code == 405


def test_what_they_may_see_is_asked_when_they_fetch_it(ars, signed_in):
    dossier = sent_dossier(domain_of_all_kinds())
    view = built(CSV, by=ars)
    one = built(Kind.DOSSIER_PDF, by=ars, what=dossier.reference)
    client = signed_in(ars)
    assert fetched(client, view)[0] == fetched(client, one)[0] == 200
    ars.regions.set([RegionFactory(code="75")])
    for export in (view, one):
        status, said = fetched(client, export)
        assert status == 409 and "Vos droits ont changé" in said.decode() and dossier.reference.encode() not in said
    ars.regions.add(RegionFactory(code="76"))
    assert fetched(client, view)[0] == 200, "more regions than before"
    User.objects.filter(pk=ars.pk).update(is_active=False)
    assert fetched(client, view)[0] == 302


def test_who_was_of_the_ans_does_not_keep_its_exports(ans, signed_in):
    sent_dossier(domain_of_all_kinds())
    export, client = built(CSV, by=ans), signed_in(ans)
    User.objects.filter(pk=ans.pk).update(role="ars")
    ans.regions.set([RegionFactory(code="76")])
    assert fetched(client, export)[0] == 409
    User.objects.filter(pk=ans.pk).update(role="ans")
    assert fetched(client, export)[0] == 200


def test_one_that_is_not_ready_or_was_altered_is_refused_and_not_noted(ars, signed_in):
    client, waiting = signed_in(ars), asked(CSV, by=ars)
    assert fetched(client, waiting)[0] == 409
    actions.cancel(waiting, by=ars)
    export = built(CSV, by=ars)
    default_storage.delete(export.storage_name)
    status, said = fetched(client, export)
    assert status == 409 and "absent ou altéré" in said.decode()
    Export.objects.filter(pk=export.pk).update(expires_at=timezone.now())
    assert fetched(client, export)[0] == 409
    assert not Entry.objects.filter(verb="download_export").exists()


# --- the administration -------------------------------------------------------------------------------------------
def test_an_administrator_reads_the_list_and_gets_no_file(ars, signed_in):
    export = built(CSV, by=ars)
    actions.note_download(export, by=ars)
    client = signed_in(UserFactory(administrator=True))
    assert export.label in client.get(reverse("admin:exports_export_changelist")).content.decode()
    page = client.get(reverse("admin:exports_export_change", args=[export.pk])).content.decode()
    assert export.sha256 in page and str(ars) in page and export.storage_name not in page
    assert client.get(LIST).status_code == client.get(address("download", export)).status_code == 403
