"""The guides under « Aide »: who reads which, what their Markdown may hold, how they are found."""

import pytest
from django.urls import reverse

from ecare.guides import GUIDES, read
from tests.factories import EstablishmentFactory, UserFactory

PEOPLE = {
    "ars": {"referent", "agent-ars"},
    "ans": {"referent", "agent-ars", "agent-ans"},
    "administrator": {"referent", "administrateur"},
}


def test_a_visitor_reads_the_guide_of_the_referent_and_no_other(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        page = client.get("/aide/guides/referent/")
    assert page.status_code == 200 and "Créer votre compte" in page.text
    assert [client.get(guide.address).status_code for guide in GUIDES[1:]] == [302, 302, 302]
    links = client.get("/aide/").text
    assert "/aide/guides/referent/" in links and links.count("/aide/guides/") == 1


@pytest.mark.django_db
def test_each_role_reads_its_own_and_is_led_there(signed_in):
    EstablishmentFactory()
    for role, readable in PEOPLE.items():
        client = signed_in(UserFactory(**{role: True}))
        answers = {guide.slug: client.get(guide.address).status_code for guide in GUIDES}
        assert answers == {guide.slug: 200 if guide.slug in readable else 403 for guide in GUIDES}, role
        listed, mapped = client.get("/aide/").text, client.get(reverse("sitemap")).text
        for guide in GUIDES:
            assert (guide.address in listed) == (guide.address in mapped) == (guide.slug in readable), role
    assert reverse("guide_of_ars") in signed_in(UserFactory(ars=True)).get(reverse("reviews:queue")).text
    assert reverse("guide_of_ans") in signed_in(UserFactory(ans=True)).get(reverse("reviews:queue")).text
    assert reverse("guide_of_referent") in signed_in(UserFactory()).get(reverse("applications:dashboard")).text
    atelier = signed_in(UserFactory(administrator=True)).get(reverse("admin:index")).text
    assert reverse("guide_of_administrator") in atelier


@pytest.mark.django_db
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.slug)
def test_a_guide_asks_no_more_than_who_reads_it(guide, signed_in, django_assert_num_queries):
    roles = {role: True for role in ["ans", "administrator"] if role in guide.roles}
    client = signed_in(UserFactory(**roles))
    cost = 4 if guide.roles else 3  # the session, the person, their device; the terms of whom a page is kept for
    with django_assert_num_queries(cost):
        page = client.get(guide.address)
    assert page.status_code == 200
    assert page.text.count("<h1") == 1 and page.text.count('class="fr-summary__link"') == len(guide.text.chapters)


def test_a_picture_is_served_as_what_it_is(client):
    page = client.get("/aide/guides/referent/").text
    assert page.count('class="ecare-guide__picture"') == page.count('loading="lazy"') > 30
    answer = client.get("/static/guides/referent/accueil.webp")
    assert answer.getvalue()[8:12] == b"WEBP"
    assert answer["Content-Type"] == "image/webp" and answer["X-Content-Type-Options"] == "nosniff"


def test_markdown_says_what_it_says_and_runs_nothing():
    text = read(
        GUIDES[0],
        "# Titre\n\nBonjour <script>alert(1)</script>.\n\n## Un <b>chapitre</b>\n\n<img src=x onerror=alert(1)>\n\n"
        "[ici](javascript:alert(1)) [là](data:text/html,x) [plus loin](#un-bchapitreb)\n\n"
        '![« x » onload="y"](images/referent/accueil.webp)\n',
    )
    assert "<script" not in text.lead and "&lt;script&gt;" in text.lead
    assert text.body.count("<img ") == 1 and "&lt;img src=x" in text.body and "<b>" not in text.body
    assert 'href="javascript' not in text.body and 'href="data' not in text.body
    assert 'onload=&quot;y&quot;"' in text.body and 'width="1224"' in text.body


@pytest.mark.parametrize(
    "line",
    [
        "![x](https://ailleurs.example/x.webp)",
        "![x](../../secret.webp)",
        "![x](images/referent/../x.webp)",
        "[x](http://ailleurs.example)",
        "[x](/compte/)",
    ],
)
def test_what_leads_elsewhere_is_refused_when_it_is_read(line):
    with pytest.raises(ValueError, match="guide"):
        read(GUIDES[0], f"# T\n\nL.\n\n## C\n\n{line}\n")


@pytest.mark.django_db
def test_the_chapters_are_found_by_whom_they_concern(client, signed_in):
    def found(client, words):
        return client.get("/aide/", {"q": words}).text

    assert f"{reverse('guide_of_referent')}#transférer-le-dossier" in found(client, "transférer dossier")
    assert "Dans les guides" not in found(client, "xyzzy")
    purge = f"{reverse('guide_of_ans')}#purger-des-données-de-patients"
    assert purge in found(signed_in(UserFactory(ans=True)), "purger données patients")
    for other in (client, signed_in(UserFactory(ars=True)), signed_in(UserFactory())):
        assert reverse("guide_of_ans") not in found(other, "purger données patients")
