"""CSV and XLSX of a view, cell by cell: every column is computed here anew from the database."""

import csv
import io
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from applications.actions import request_changes, save_answers, submit
from applications.models import Application, Contact, FormVersion, Question
from applications.money import ceiling
from ecare.french import megabytes
from ecare.journal.models import Entry
from evidence.models import BankDetails
from exports.models import Export
from exports.readers import Forms, chunks, numbers_of
from funding.models import Commitment, Decision, Payment
from reviews.models import Assignment
from tests.exports.conftest import (
    ANSWERS,
    DAY,
    built,
    content_of,
    declared,
    domain_of_all_kinds,
    sent_dossier,
    with_money,
)
from tests.factories import (
    ApplicationFactory,
    DepartmentFactory,
    EstablishmentFactory,
    FormFactory,
    LegalEntityFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
CSV, XLSX = Export.Kind.QUEUE_CSV, Export.Kind.QUEUE_XLSX


def in_csv(export) -> tuple[list[str], list[dict]]:
    text = content_of(export).decode("utf-8-sig")
    headings, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert len(set(headings)) == len(headings), "two columns of one name"
    return headings, [dict(zip(headings, row, strict=True)) for row in rows]


def in_xlsx(export, sheet="Dossiers") -> tuple[list[str], list[dict]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content_of(export)))
    headings, *rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    return headings, [dict(zip(headings, row, strict=True)) for row in rows]


@pytest.fixture
def world(ars, ans):
    """Two dossiers that were sent, one of them declared; a draft; one of another region."""
    domain = domain_of_all_kinds(name="Domaine de tout")
    first = declared(sent_dossier(domain, container=True), ars=ars, ans=ans)
    first.change_requests.update(due_on=DAY)
    Assignment.objects.create(application=first, desk="ars", agent=ars, by=ars)
    Assignment.objects.create(application=first, desk="ans", agent=ans, by=ans)
    second = sent_dossier(domain)
    with_money(first, ans=ans)
    with_money(second, ans=ans, is_validated=False, is_paid=False)
    second.commitment.released_at = timezone.now()
    second.commitment.save()
    draft = ApplicationFactory(domain=domain, candidature_form=domain.forms.get(step="candidature"))
    save_answers(draft, by=draft.referent, values={"precisions": "BROUILLON SECRET"}, at=timezone.now())
    elsewhere = LegalEntityFactory(department=DepartmentFactory(code="33", region=RegionFactory(code="75")))
    other = sent_dossier(domain, referent=UserFactory(establishment=EstablishmentFactory(legal_entity=elsewhere)))
    return {"first": first, "second": second, "draft": draft, "other": other}


# --- what a row must say, from the database alone -----------------------------------------------------------------
def expected(application: Application) -> dict:
    """By heading, the value as Python has it; what is not there is empty."""
    dossier = Application.objects.get(pk=application.pk)
    establishment = dossier.establishment
    entity = establishment.legal_entity
    referent = dossier.referent
    found = {
        "Référence": dossier.reference,
        "Domaine": dossier.domain.name,
        "Étape": "Déclaration" if dossier.declaration_form else "Candidature",
        "État": dossier.reviewer_label,
        "Dans cet état depuis le": dossier.moved_at,
        "Établissement": establishment.name,
        "Type d’établissement": "Entité Juridique Publique hors GHT",
        "Région": establishment.region.name,
        "ARS": establishment.region.ars,
        "FINESS EJ": entity.finess,
        "Raison sociale": entity.name,
        "Code postal": entity.postcode,
        "Commune": entity.town,
        "Département": f"{entity.department.name} ({entity.department.code})",
        "Référent, civilité": "Madame",
        "Référent, nom": referent.last_name,
        "Référent, prénom": "Camille",
        "Référent, adresse e-mail": referent.email,
        "Référent, téléphone": "+33 4 67 33 67 33",
        "Candidature commencée le": dossier.created_at,
        "Convention signée le": dossier.convention_signed_on,
        "Demandes de modification": dossier.change_requests.count(),
        "Activité combinée (journées)": 120_000 if dossier.submissions.exists() else None,
        "Plafond": ("€", ceiling(dossier.domain, establishment).cents),
    }
    return found | life(dossier) | people(dossier) | money(dossier) | answers(dossier)


def life(dossier) -> dict:
    moves = {entry.to_state: entry.at for entry in Entry.objects.filter(subject=dossier.subject).order_by("sequence")}
    found = {
        "Candidature acceptée le": moves.get("accepted"),
        "Convention enregistrée le": moves.get("convention_signed"),
        "Déclaration ouverte le": moves.get("declaration_open"),
    }
    for step, label in (("candidature", "Candidature"), ("declaration", "Déclaration")):
        sent = list(dossier.submissions.filter(step=step).order_by("number"))
        if sent:
            found[f"{label}, premier envoi le"] = sent[0].at
            found[f"{label}, dernier envoi le"] = sent[-1].at
            found[f"{label}, nombre d’envois"] = len(sent)
            found[f"{label}, empreinte SHA-256 du dernier envoi"] = sent[-1].digest
    for given in dossier.assignments.all():
        found[f"Suivi par ({given.desk.upper()})"] = str(given.agent)
    request = dossier.change_requests.first()
    if request:
        found["Dernière demande de modification, échéance"] = request.due_on
        found["Dernière demande de modification le"] = request.at
        found["Dernière demande de modification, message"] = "Le RIB est illisible."
    return found


def money(dossier) -> dict:
    """A decision that is still being prepared says nothing."""
    found = {}
    for committed in Commitment.objects.filter(application=dossier):
        found |= {"Montant engagé": ("€", committed.amount), "Engagé le": committed.at}
        found["Engagement libéré le"] = committed.released_at
    for decision in Decision.objects.filter(application=dossier).exclude(validated_at=None):
        found |= {"Dépenses retenues": ("€", decision.accepted), "Montant décidé": ("€", decision.amount)}
        found |= {"Montant décidé le": decision.validated_at, "Montant décidé par": str(decision.validated_by)}
    for paid in Payment.objects.filter(application=dossier):
        found |= {"Montant versé": ("€", paid.amount), "Date du virement": paid.paid_on}
        found |= {"Référence du virement": paid.reference, "Versement enregistré le": paid.recorded_at}
        found["Versement enregistré par"] = str(paid.recorded_by)
    return found


def people(dossier) -> dict:
    if not dossier.submissions.exists():
        return {}
    return {"DSI, nom": "Lenoir", "DSI, civilité": "Madame", "RSSI, nom": ANSWERS["rssi-nom"]}


def answers(dossier) -> dict:
    sent = dossier.submissions.filter(step="candidature").order_by("-number").first()
    if sent is None:
        return {}
    entity = dossier.establishment.entities().get()
    files = {
        key: "\n".join(
            f"{file['name']} ({megabytes(file['size'])}, SHA-256\u00a0: {file['sha256']})"
            for file in sent.content["answers"][key]
        )
        for key in ("rib", "pieces")
    }
    found = {
        "Montant demandé": ("€", 700_050),
        "Candidature – Nom [dsi-nom]": "Lenoir",
        "Candidature – Nom [rssi-nom]": ANSWERS["rssi-nom"],
        "Candidature – Civilité": "Madame",
        "Candidature – Précisions": sent.content["answers"]["precisions"],
        "Candidature – Postes de travail": 1250,
        "Candidature – Montant demandé à l’ANS": ("€", 700_050),
        "Candidature – Date du comité": DAY,
        "Candidature – Adresse": "dsi@exemple.fr",
        "Candidature – Téléphone": "+33 4 67 33 67 33",
        "Candidature – Prérequis": "Oui, tout à fait",
        "Candidature – Outils": "Annuaire, Sauvegarde",
        "Candidature – Engagement": "Oui",
        "Candidature – SIRET": "26340016200018",
        "Candidature – Entités": f"{entity.name} ({entity.finess})\u00a0: non confirmée, Site fermé",
        "Candidature – Pièces": files["pieces"],
        "Candidature – Titulaire du compte": "@CH de la Ville",
        "Candidature – IBAN": "FR76 3000 6000 0112 3456 7890 189",
        "Candidature – BIC": "AGRIFRPP",
        "Candidature – RIB": files["rib"],
    }
    if dossier.submissions.filter(step="declaration").exists():
        found |= {
            "Dépenses déclarées": ("€", 1_350_050),
            "Déclaration – Dépenses": (
                "15 janvier 2026 – Audit SA – Audit – 12\u00a0500,50\u00a0€\n"
                "20 février 2026 – +Sauve – Baie – 1\u00a0000\u00a0€\nTotal\u00a0: 13\u00a0500,50\u00a0€"
            ),
            "Déclaration – Objectif atteint": "Oui",
        }
    return found


def as_csv(value) -> str:
    if isinstance(value, tuple):
        return f"{value[1] // 100},{value[1] % 100:02d}"
    if isinstance(value, datetime):
        return value.astimezone(PARIS).strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "@", "- ")) else text


def as_xlsx(value):
    if isinstance(value, tuple):
        return value[1] / 100
    if isinstance(value, datetime):
        return value.astimezone(PARIS).replace(tzinfo=None, microsecond=0)
    return "" if value is None else value


def rounded(value):
    """A serial number of days is exact to some microseconds."""
    if isinstance(value, datetime):
        return (value + timedelta(milliseconds=500)).replace(microsecond=0)
    return value


BANK_COLUMNS = {"Candidature – Titulaire du compte", "Candidature – IBAN", "Candidature – BIC"}


@pytest.mark.parametrize(("kind", "read", "shape"), [(CSV, in_csv, as_csv), (XLSX, in_xlsx, as_xlsx)])
def test_every_cell_is_what_the_database_says(world, ans, kind, read, shape):
    headings, rows = read(built(kind, by=ans))
    dossiers = {one.reference: one for one in world.values()}
    assert {row["Référence"] for row in rows} == set(dossiers)
    checked = set()
    for row in rows:
        wanted = expected(dossiers[row["Référence"]])
        assert set(wanted) <= set(headings)
        for heading in headings:
            said = rounded(row[heading])
            assert said == shape(wanted.get(heading)), (row["Référence"], heading)
            checked |= {heading} if said not in ("", None) else set()
    assert len(checked) > 72


def test_columns_follow_each_other_as_the_forms_do(world, ans):
    headings, _ = in_csv(built(CSV, by=ans))
    assert headings[:4] == ["Référence", "Domaine", "Étape", "État"]
    asked = [heading for heading in headings if heading.startswith(("Candidature –", "Déclaration –"))]
    wanted = [
        f"{label} – {question.label}"
        for step, label in (("candidature", "Candidature"), ("declaration", "Déclaration"))
        for question in Question.objects.filter(section__form__step=step).order_by("section__position", "position")
    ]
    assert [heading.partition(" [")[0] for heading in asked] == wanted


# --- who reads what -----------------------------------------------------------------------------------------------
def test_an_ars_gets_its_region_and_no_bank_details(world, ars):
    for kind, read in ((CSV, in_csv), (XLSX, in_xlsx)):
        export = built(kind, by=ars)
        headings, rows = read(export)
        assert {row["Référence"] for row in rows} == {world[name].reference for name in ("first", "second", "draft")}
        assert not BANK_COLUMNS & set(headings)
        assert "Candidature – RIB" in headings
        assert "FR76 3000" not in str(rows) and "CH de la Ville" not in str(rows)
        assert export.regions == ["76"]


def test_a_draft_is_listed_without_its_answers(world, ans):
    assert "BROUILLON" not in content_of(built(CSV, by=ans)).decode()


def test_what_is_typed_after_a_sending_stays_its_referents(world, ans, ars):
    dossier = Application.objects.get(pk=world["second"].pk)
    from_ars = {"by": ars, "version": dossier.version, "message": "Le RIB."}
    request_changes(dossier, **from_ars)
    values = {"precisions": "EN COURS", "dsi-nom": "EN COURS"}
    save_answers(Application.objects.get(pk=dossier.pk), by=dossier.referent, values=values, at=timezone.now())
    assert Contact.objects.get(application=dossier, role="dsi").last_name == "EN COURS"
    content = content_of(built(CSV, by=ans)).decode()
    assert "EN COURS" not in content and "Lenoir" in content


def test_bank_details_confirmed_later_are_for_the_ans(world, ans, ars):
    later = {"titulaire": "Autre", "iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON"}
    rib = world["first"].evidence.first().file
    BankDetails.objects.create(
        application=world["first"],
        by=world["first"].referent,
        values=later,
        file=rib,
        state="confirmed",
        decided_at=timezone.now(),
    )
    heading = "Coordonnées bancaires confirmées depuis"
    _, rows = in_csv(built(CSV, by=ans))
    [said] = [row[heading] for row in rows if row[heading]]
    assert "IBAN\u00a0: FR14 2004 1010 0505 0001 3M02 606" in said
    headings, _ = in_csv(built(CSV, by=ars))
    assert heading not in headings


# --- the view -----------------------------------------------------------------------------------------------------
def references(export) -> list[str]:
    return [row["Référence"] for row in in_csv(export)[1]]


def test_rows_are_those_of_the_view_in_its_order(world, ans, signed_in):
    for query in (
        "etat=tous",
        "etat=tous&sort=-moved_at",
        "etat=tous&sort=reference",
        "etat=tous&sort=-establishment",
        "etat=tous&sort=requested",
        "etat=submitted&sort=domain",
        "etat=tous&suivi=moi",
        "etat=tous&montant_min=7000&etape=candidature",
        f"etat=tous&q={world['first'].reference}",
        "etat=tous&region=75",
        "",
        "etat=nimporte&sort=quoi&domaine=rien",
    ):
        page = signed_in(ans).get(f"/verification/?per_page=100&{query}")
        shown = [row.record.reference for row in page.context["table"].paginated_rows]
        export = built(CSV, by=ans, what=query)
        assert references(export) == shown, query
        export.delete()


def test_a_form_in_two_versions_has_one_column_by_key(ans):
    domain = domain_of_all_kinds()
    old = sent_dossier(domain)
    form = FormFactory(
        domain=domain,
        number=2,
        questions=[
            {"key": "precisions", "kind": "text", "label": "Précisions utiles", "is_required": False},
            {"key": "nouvelle", "kind": "text", "label": "Nouvelle", "is_required": False},
        ],
    )
    new = ApplicationFactory(domain=domain, candidature_form=form)
    save_answers(new, by=new.referent, values={"precisions": "Neuf", "nouvelle": "Oui"}, at=timezone.now())
    submit(Application.objects.get(pk=new.pk), by=new.referent, version=1, at=timezone.now())
    headings, rows = in_csv(built(CSV, by=ans))
    assert "Candidature – Précisions utiles" in headings and "Candidature – Précisions" not in headings
    said = {row["Référence"]: row["Candidature – Précisions utiles"] for row in rows}
    assert said == {old.reference: "'" + ANSWERS["precisions"], new.reference: "Neuf"}
    assert {row["Candidature – Nouvelle"] for row in rows} == {"", "Oui"}
    assert FormVersion.objects.filter(domain=domain, step="candidature").count() == 2


def test_no_phone_stops_a_list(ans):
    dossier = sent_dossier(domain_of_all_kinds())
    Contact.objects.filter(application=dossier, role="dsi").update(phone="poste 12")
    [row] = in_csv(built(CSV, by=ans))[1]
    assert row["DSI, téléphone"] == "poste 12"


def test_a_view_without_dossier_is_a_sheet_with_headings(ans):
    headings, rows = in_csv(built(CSV, by=ans))
    assert headings[0] == "Référence" and rows == []
    assert in_xlsx(built(XLSX, by=ans))[1] == []


def test_the_last_sheet_says_what_it_is(world, ans):
    _, rows = in_xlsx(built(XLSX, by=ans), sheet="À propos")
    said = {row["Objet"]: row["Valeur"] for row in rows}
    assert said["Vue"] == "Vue" and said["Dossiers"] == "4" and said["Demandé par"] == str(ans)


def test_a_chunk_costs_the_same_however_many_dossiers(world, ans):
    counts = []
    for references in ([world["first"]], list(world.values())):
        dossiers = Application.objects.filter(pk__in=[one.pk for one in references])
        forms, numbers = Forms(dossiers), numbers_of(dossiers)
        with CaptureQueriesContext(connection) as asked:
            list(chunks(numbers, ans, forms))
        counts.append(len(asked))
    assert counts == [13, 13]
