"""The terms in force are accepted before anything else."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Terms, TermsAcceptance
from ecare.journal.models import Entry
from tests.accounts.steps import give_code, give_password, secret_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def _publish(version="1.0", **ago):
    return Terms.objects.create(
        version=version,
        text="# Objet\n\nVoici les <b>règles</b>.",
        published_at=timezone.now() - timedelta(**(ago or {"days": 1})),
    )


def test_a_first_sign_in_goes_through_the_terms_then_on(client):
    _publish()
    user = UserFactory()
    give_password(client, user, next="/compte/mot-de-passe/")
    page = client.get(give_code(client, secret_of("code"))["Location"])
    assert page["Location"] == "/cgu/accepter/?next=%2Fcompte%2Fmot-de-passe%2F"
    terms = client.get(page["Location"]).content.decode()
    assert "Voici les &lt;b&gt;règles&lt;/b&gt;." in terms and '<h2 class="fr-h4">Objet</h2>' in terms
    data = {"is_accepted": "on", "version": "1.0", "next": "/compte/mot-de-passe/"}
    assert client.post("/cgu/accepter/", data)["Location"] == "/compte/mot-de-passe/"
    assert client.get("/compte/mot-de-passe/").status_code == 200
    assert Entry.objects.filter(subject=f"user:{user.pk}", verb="accept_terms").count() == 1
    assert "Acceptée" in client.get("/compte/").content.decode()


def test_the_box_must_be_ticked(signed_in):
    client = signed_in(UserFactory())
    _publish()
    response = client.post("/cgu/accepter/", {"version": "1.0"})
    assert response.context["form"]["is_accepted"].errors == ["Cochez cette case pour continuer."]
    assert not TermsAcceptance.objects.exists()


def test_a_new_version_asks_again(signed_in):
    _publish()
    client = signed_in(UserFactory())
    assert client.get("/compte/").status_code == 200
    _publish("2.0", hours=1)
    assert client.get("/compte/")["Location"].startswith("/cgu/accepter/")
    assert "Une nouvelle version est parue." in client.get("/cgu/accepter/").content.decode()


def test_nobody_accepts_a_version_that_they_were_not_shown(signed_in):
    client = signed_in(UserFactory())
    _publish()
    client.get("/cgu/accepter/")
    _publish("2.0", hours=1)
    page = client.post("/cgu/accepter/", {"is_accepted": "on", "version": "1.0"}).content.decode()
    assert "Une nouvelle version vient de paraître." in page
    assert not TermsAcceptance.objects.exists()


def test_what_was_typed_while_a_version_came_out_is_not_lost(signed_in):
    _publish()
    user = UserFactory()
    client = signed_in(user)
    _publish("2.0", hours=1)
    data = {"oldpassword": "faux", "password1": "x", "password2": "x"}
    assert client.post("/compte/mot-de-passe/", data).status_code == 200


def test_who_never_accepted_writes_nothing_and_is_told(signed_in):
    client = signed_in(UserFactory())
    _publish()
    page = client.post("/compte/mot-de-passe/", {}, follow=True)
    assert page.redirect_chain[0][0] == "/cgu/accepter/"
    assert "Votre dernière saisie n’a pas été enregistrée" in page.content.decode()


def test_a_version_to_come_asks_nothing(signed_in):
    client = signed_in(UserFactory())
    _publish(days=-1)
    assert client.get("/compte/").status_code == 200


def test_one_can_leave_and_read_public_pages_without_accepting(signed_in):
    client = signed_in(UserFactory())
    _publish()
    assert client.get("/cgu/").status_code == 200
    assert client.post("/deconnexion/").status_code == 302


def test_nobody_is_sent_to_another_site(signed_in):
    client = signed_in(UserFactory())
    _publish()
    data = {"is_accepted": "on", "version": "1.0", "next": "//arnaque.example/"}
    assert client.post("/cgu/accepter/", data)["Location"] == "/connexion/"


def test_the_terms_are_public(client):
    assert client.get("/cgu/").status_code == 404
    _publish()
    assert "Version 1.0" in client.get("/cgu/").content.decode()


def test_every_version_that_was_published_stays_readable(client, signed_in):
    _publish(days=9)
    _publish("2.0", hours=1)
    _publish("3.0", days=-1)
    Terms.objects.create(version="4.0", text="Brouillon")
    page = client.get("/cgu/").text
    assert "Version 2.0, en vigueur depuis" in page and '<a href="/cgu/1.0/">Version 1.0</a>' in page
    assert "3.0" not in page and "4.0" not in page
    past = client.get("/cgu/1.0/").text
    assert "Cette version n’est plus en vigueur" in past and "Version 1.0, publiée le" in past
    assert "n’est plus en vigueur" not in client.get("/cgu/2.0/").text
    for hidden in ("3.0", "4.0", "5.0", "%00", "../compte"):
        assert client.get(f"/cgu/{hidden}/").status_code == 404
    assert signed_in(UserFactory()).get("/cgu/1.0/").status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_versions_costs_one_question(client, django_assert_num_queries, count):
    for rank in range(count):
        _publish(f"{rank}.0")
    with django_assert_num_queries(1):
        client.get("/cgu/")


def test_loading_the_terms_twice_changes_nothing(capsys):
    call_command("load_terms")
    call_command("load_terms")
    assert Terms.objects.in_force().version == "1.0"
    assert "rien à changer" in capsys.readouterr().out
    call_command("load_terms", verbosity=0)
    assert capsys.readouterr().out == ""


def test_a_version_that_people_accepted_is_never_rewritten(tmp_path):
    (tmp_path / "1.0.txt").write_text("Publication : 2024-03-18\n\nUn texte.", encoding="utf-8")
    call_command("load_terms", tmp_path)
    (tmp_path / "1.0.txt").write_text("Publication : 2024-03-18\n\nUn autre.", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("load_terms", tmp_path)
    assert Terms.objects.get().text == "Un texte."


@pytest.mark.parametrize("wanted", ["foo", "home", "javascript:alert(1)", "//arnaque.example/", "http:arnaque.example"])
def test_a_forged_destination_is_no_error_and_leads_nowhere_else(signed_in, wanted):
    page = signed_in(UserFactory()).get("/cgu/accepter/", {"next": wanted})
    assert (page.status_code, page["Location"]) == (302, "/connexion/")
