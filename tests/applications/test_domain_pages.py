"""What an administrator does with a domain: its calendar, its amounts, its scale; what is confirmed, what is told."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from applications import domains
from applications.actions import NotNow
from applications.consequences import consequences
from applications.models import Bracket, Domain
from applications.states import State
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, DomainFactory, FormFactory

TODAY = timezone.localdate
HEADER = "domaine;type;journees_de;journees_a;plafond_euros"


def days(number: int) -> date:
    return TODAY() + timedelta(days=number)


@pytest.fixture
def desk(signed_in, administrator):
    return signed_in(administrator)


@pytest.fixture
def domain(db):
    return DomainFactory(
        slug="essai", kinds=["ght", "private"], envelope=6_500_000_000, candidature_until=days(30),
        declaration_from=days(-10), declaration_until=days(90),
    )  # fmt: skip


def page(domain, name="change") -> str:
    return reverse(f"admin:applications_domain_{name}", args=[domain.pk])


def typed(desk, address, *brackets, **changes) -> dict:
    """The page of a domain as it stands, changed by hand, with these brackets as its whole scale."""
    form = desk.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields} | changes
    data = {name: "" if value is None else value for name, value in values.items() if value is not False}
    data |= {"scale-TOTAL_FORMS": len(brackets), "scale-INITIAL_FORMS": 0}
    for rank, row in enumerate(brackets):
        names = ("kind", "days_from", "days_until", "ceiling")
        data |= {f"scale-{rank}-{name}": value for name, value in zip(names, row, strict=True)}
    return data


def change_of(domain) -> dict:
    return Entry.objects.get(subject=f"domain:{domain.slug}", verb="change_domain").data


# --- amounts ------------------------------------------------------------------------------------------------------
def test_amounts_are_typed_and_shown_in_euros(desk, domain):
    address = page(domain)
    said = text_of(desk.get(address))
    assert 'value="65 000 000"' in said.replace("\u202f", " ")
    assert "6500000000" not in said
    assert "centimes" not in said
    assert desk.post(address, typed(desk, address, envelope="70 000 000 €", floor="0")).status_code == 302
    domain.refresh_from_db()
    assert (domain.envelope, domain.floor) == (7_000_000_000, 0)
    assert "70 000 000 €" in text_of(desk.get(reverse("admin:applications_domain_changelist")))


@pytest.mark.parametrize("wrong", ["", "beaucoup", "7000.555", "-1"])
def test_a_wrong_amount_is_refused(desk, domain, wrong):
    address = page(domain)
    answer = desk.post(address, typed(desk, address, envelope=wrong))
    assert "envelope" in answer.context["adminform"].form.errors
    domain.refresh_from_db()
    assert domain.envelope == 6_500_000_000


# --- the calendar -------------------------------------------------------------------------------------------------
def test_each_date_is_said_as_a_sentence(desk, domain):
    Domain.objects.filter(pk=domain.pk).update(
        expenses_from=date(2024, 3, 18), candidature_from=date(2024, 3, 18), candidature_until=date(2024, 4, 19),
        candidature_first_submission_until=date(2024, 4, 26), declaration_from=date(2024, 5, 21),
        declaration_until=None,
    )  # fmt: skip
    said = text_of(desk.get(page(domain)))
    for sentence in (
        "Les dépenses sont prises en compte à partir du 18 mars 2024.",
        "Une candidature peut être commencée à partir du 18 mars 2024, jusqu’au 19 avril 2024 à 23 h 59",
        "transmise pour la première fois, jusqu’au 26 avril 2024 à 23 h 59",
        "La déclaration s’ouvre à partir du 21 mai 2024, une fois la convention signée.",
        "sans limite de date",
    ):
        assert sentence in said


def test_a_change_is_in_the_journal_with_who_before_and_after(desk, domain, administrator):
    address, former = page(domain), domain.candidature_until
    desk.post(address, typed(desk, address, candidature_until="31/12/2090"))
    entry = Entry.objects.get(subject="domain:essai")
    assert (entry.verb, entry.actor) == ("change_domain", administrator.actor[0])
    assert entry.data["changes"] == {"candidature_until": [former.isoformat(), "2090-12-31"]}
    assert not list(broken_links("domain:essai"))


def test_saving_without_a_change_says_nothing(desk, domain):
    address = page(domain)
    assert desk.post(address, typed(desk, address)).status_code == 302
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"candidature_until": "01/01/2023"}, "candidature_until"),
        ({"candidature_first_submission_until": "01/01/2023"}, "candidature_first_submission_until"),
        ({"declaration_until": "01/01/2023"}, "declaration_until"),
        ({"candidature_from": ""}, "candidature_from"),
    ],
)
def test_dates_in_disorder_are_refused_at_their_field(desk, domain, changes, field):
    address = page(domain)
    answer = desk.post(address, typed(desk, address, **changes))
    assert list(answer.context["adminform"].form.errors) == [field]


def test_the_name_of_the_public_address_does_not_change(desk, domain):
    address = page(domain)
    desk.post(address, typed(desk, address) | {"slug": "autre"})
    domain.refresh_from_db()
    assert domain.slug == "essai"


def test_a_new_domain_is_added_without_asking(desk):
    address = reverse("admin:applications_domain_add")
    data = typed(desk, address, name="Domaine 9", slug="domaine-9", kinds=["ght"], envelope="1000", floor="7000")
    answer = desk.post(address, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert Entry.objects.get(subject="domain:domaine-9").verb == "add_domain"


def test_what_somebody_else_saved_meanwhile_is_not_written_over(desk, domain, administrator):
    address = page(domain)
    data = typed(desk, address, summary="À moi")
    Domain.objects.filter(pk=domain.pk).update(summary="À l’autre")
    answer = desk.post(address, data)
    assert "a été modifié depuis" in text_of(answer)
    domain.refresh_from_db()
    assert domain.summary == "À l’autre"
    with pytest.raises(NotNow):
        domains.save_domain(domain, by=administrator, shown="autre", consequences=[])


# --- what a date closes -------------------------------------------------------------------------------------------
def test_closing_something_for_open_dossiers_is_confirmed_first(desk, domain):
    first = ApplicationFactory(domain=domain, state=State.DRAFT)
    ApplicationFactory(domain=domain, state=State.DRAFT, candidature_form=first.candidature_form)
    address = page(domain)
    data = typed(desk, address, candidature_until=days(-1).strftime("%d/%m/%Y"))
    answer = desk.post(address, data)
    said = text_of(answer)
    assert "2 candidatures commencées et jamais transmises ne pourront plus l’être" in said
    assert "Les candidatures, ouvertes aujourd’hui, ferment aussitôt" in said
    domain.refresh_from_db()
    assert domain.candidature_until == days(30)
    digest = answer.context["adminform"].form["confirmed"].field.widget.attrs["value"]
    assert f'value="{digest}"' in answer.content.decode()
    assert desk.post(address, data | {"confirmed": digest}).status_code == 302
    domain.refresh_from_db()
    assert domain.candidature_until == days(-1)
    assert len(change_of(domain)["consequences"]) == 2


def test_one_confirms_what_one_has_read_and_nothing_else(desk, domain):
    first = ApplicationFactory(domain=domain, state=State.DRAFT)
    address = page(domain)
    data = typed(desk, address, candidature_until=days(5).strftime("%d/%m/%Y"))
    digest = desk.post(address, data).context["adminform"].form["confirmed"].field.widget.attrs["value"]
    ApplicationFactory(domain=domain, state=State.DRAFT, candidature_form=first.candidature_form)
    answer = desk.post(address, data | {"confirmed": digest})
    assert "2 candidatures commencées" in text_of(answer)
    domain.refresh_from_db()
    assert domain.candidature_until == days(30)


def after(domain, **changes) -> list[str]:
    changed = Domain(**{field.attname: getattr(domain, field.attname) for field in Domain._meta.concrete_fields})
    for name, value in changes.items():
        setattr(changed, name, value)
    return [sentence.replace("\u00a0", " ") for sentence in consequences(domain, changed, timezone.now())]


@pytest.mark.parametrize(
    ("state", "changes", "told"),
    [
        (State.DRAFT, {"candidature_until": days(-1)}, "1 candidature commencée et jamais transmise ne pourra plus"),
        (State.DRAFT, {"candidature_until": days(3)}, "au lieu du"),
        (State.DRAFT, {"candidature_first_submission_until": days(-1)}, "1 candidature commencée"),
        (State.DECLARATION_OPEN, {"declaration_until": days(-1)}, "1 déclaration commencée et jamais transmise"),
        (State.DECLARATION_OPEN, {"declaration_until": days(3)}, "1 déclaration commencée"),
        (State.CONVENTION_SIGNED, {"declaration_from": days(9)}, "1 convention signée : déclaration ouverte le"),
    ],
)
def test_what_a_date_closes_is_counted(domain, state, changes, told):
    ApplicationFactory(domain=domain, state=state)
    ApplicationFactory(state=state)  # of another domain
    assert any(told in sentence for sentence in after(domain, **changes)), after(domain, **changes)


def test_expenses_that_would_no_longer_count_are_told(domain):
    form = FormFactory(domain=domain, questions=[{"key": "costs", "kind": "expenses"}])
    ApplicationFactory(domain=domain, candidature_form=form)
    assert any("1 dossier en cours de saisie demande des dépenses" in said for said in after(
        domain, expenses_from=days(1)
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        (State.DRAFT, {"candidature_until": days(60)}),
        (State.DRAFT, {"candidature_until": None}),
        (State.SUBMITTED, {"candidature_first_submission_until": days(3)}),
        (State.CHANGES_REQUESTED, {"candidature_first_submission_until": days(-1)}),
        (State.DECLARATION_OPEN, {"declaration_until": days(120)}),
        (State.CONVENTION_SIGNED, {"declaration_from": days(-20)}),
        (State.DRAFT, {"name": "Autre", "envelope": 1}),
    ],
)
def test_what_closes_nothing_asks_nothing(domain, state, changes):
    ApplicationFactory(domain=domain, state=state)
    assert after(domain, **changes) == []


# --- the scale ----------------------------------------------------------------------------------------------------
def test_a_scale_is_typed_in_as_a_whole_in_euros(desk, domain):
    address = page(domain)
    lines = [("ght", 0, 9, "7 000"), ("ght", 10, "", "9 000,50"), ("private", 0, "", "8000")]
    assert desk.post(address, typed(desk, address, *lines)).status_code == 302
    rows = list(domain.scale.values_list("kind", "days_until", "ceiling"))
    assert rows == [("ght", 9, 700_000), ("ght", None, 900_050), ("private", None, 800_000)]
    entry = Entry.objects.get(verb="change_scale")
    assert (entry.data["before"], len(entry.data["after"])) == ([], 3)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([("ght", 5, "", 1)], "La tranche commence à 5 journées, 0 est attendu."),
        ([("ght", 0, 9, 1), ("ght", 11, "", 1)], "La tranche commence à 11 journées, 10 est attendu."),
        ([("ght", 0, "", 1), ("ght", 5, "", 1)], "La tranche précédente est sans limite."),
        ([("ght", 0, 9, 1)], "C’est la dernière tranche"),
        ([("ght", 9, 0, 1)], "La tranche finit avant de commencer."),
    ],
)
def test_a_scale_with_a_gap_or_an_overlap_is_refused_at_its_line(desk, domain, lines, told):
    address = page(domain)
    response = desk.post(address, typed(desk, address, *lines))
    assert told in text_of(response)
    assert not domain.scale.exists()


def csv(*lines, name="bareme.csv") -> dict:
    return {"file": SimpleUploadedFile(name, "\n".join([HEADER, *lines]).encode())}


def test_a_file_is_read_first_and_replaces_the_scale_only_then(desk, domain, administrator):
    Bracket.objects.create(domain=domain, kind="ght", days_from=0, ceiling=700_000)
    address = page(domain, "scale")
    answer = desk.post(address, csv("essai;ght;0;99;7 000", "essai;ght;100;;12000,50", "essai;private;0;;8000"))
    said = text_of(answer)
    assert "Rien n’est encore changé" in said
    assert "de 100 et au-delà : <strong>12 000,50 €</strong>" in said
    assert domain.scale.count() == 1
    content = answer.context["content"]
    assert desk.post(address, {"content": content, "apply": "1", "is_official": "on"}).status_code == 302
    rows = list(domain.scale.values_list("kind", "days_until", "ceiling"))
    assert rows == [("ght", 99, 700_000), ("ght", None, 1_200_050), ("private", None, 800_000)]
    domain.refresh_from_db()
    assert domain.has_official_scale
    entry = Entry.objects.get(verb="load_scale")
    assert (entry.actor, entry.data["before"]) == (administrator.actor[0], [["ght", 0, None, 700_000]])


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "Choisissez un fichier CSV."),
        (csv("essai;ght;5;;7000", "essai;private;0;;1"), "bareme.csv, ligne 2 : la tranche commence à 5"),
        (csv("autre;ght;0;;7000"), "le fichier parle de « autre »"),
        (csv("essai;ght;0;;7000"), "Aucune tranche pour Entité Juridique Privée"),
        ({"file": SimpleUploadedFile("b.csv", b"\x00\xff")}, "l’en-tête attendu est"),
        ({"file": SimpleUploadedFile("b.csv", b"x" * (1024 * 1024 + 1))}, "dépasse 1 Mo"),
        ({"content": "n’importe quoi", "apply": "1"}, "l’en-tête attendu est"),
    ],
)
def test_a_wrong_file_is_refused_and_changes_nothing(desk, domain, sent, told):
    for one in sent.values():
        if hasattr(one, "seek"):
            one.seek(0)
    answer = desk.post(page(domain, "scale"), sent)
    assert told in text_of(answer)
    assert not domain.scale.exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_pages_ask_as_much_for_one_bracket_as_for_three(desk, domain, rows, django_assert_num_queries):
    for rank in range(rows):
        Bracket.objects.create(domain=domain, kind="ght", days_from=rank * 10, days_until=rank * 10 + 9, ceiling=1)
    desk.get(page(domain))
    with django_assert_num_queries(9):
        desk.get(page(domain))
    with django_assert_num_queries(8):
        desk.get(page(domain, "scale"))
