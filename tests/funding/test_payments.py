"""The list of the accountant, on the page and as files: each cell, each filter, each download in the journal."""

import csv
import io
import zipfile
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from applications.models import Domain
from demo.specimens import pdf
from ecare.clock import paris_day
from ecare.journal.models import Entry
from ecare.spreadsheets import harmless
from evidence.bank import change_bank_details, confirm_bank_details
from funding import writers
from funding.models import Decision, Payment
from funding.readers import accounts, to_pay
from tests.factories import UserFactory
from tests.funding.deciding import BIC, IBAN, domain_that_pays, dossier_in, line, pay, validated

pytestmark = pytest.mark.django_db

NEW = {"titulaire": "CH du Port", "iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON"}


@pytest.fixture
def ans():
    return UserFactory(ans=True)


@pytest.fixture
def desk(ans, signed_in):
    return signed_in(ans)


def list_of(desk, **criteria):
    return desk.get(reverse("funding:payments"), criteria)


def csv_of(desk, **criteria) -> list[list[str]]:
    answer = desk.get(reverse("funding:payments_csv"), criteria)
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff") and "\r\n" in text
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def sheet_of(desk, **criteria) -> list[list]:
    answer = desk.get(reverse("funding:payments_xlsx"), criteria)
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer.streaming_content)))
    return book.get_sheet_by_name("Versements").to_python()


def references(rows) -> set[str]:
    return {row[0] for row in rows[1:]}


def test_each_cell_of_both_files(ans, desk):
    waiting = validated(by=ans, domain=domain_that_pays(name="Domaine 1"), lines=[line(1_200_050)])
    paid = pay(
        validated(by=ans, domain=domain_that_pays(name="Domaine 2"), lines=[line(100)]), by=ans, reference="VIR-9"
    )
    entity = paid.establishment.legal_entity
    entity.siren = "263200040"
    entity.save()
    today = timezone.localdate()
    head, first, second = csv_of(desk, etat="tous")
    assert head == list(writers.COLUMNS)
    shown = f"{today:%d/%m/%Y}"
    rule = "Dépenses retenues, entre le plancher et le plafond"
    kind = "Entité Juridique Publique hors GHT"
    assert first == [
        waiting.reference,
        "Domaine 1",
        str(waiting.establishment),
        waiting.establishment.legal_entity.name,
        kind,
        waiting.establishment.finess,
        "",
        "",
        "CH de la Ville",
        IBAN,
        BIC,
        "non",
        "12000,50",
        rule,
        shown,
        "À verser",
        "",
        "",
    ]
    assert second[:2] + second[6:7] + second[12:] == [
        paid.reference,
        "Domaine 2",
        "263200040",
        "7000,00",
        rule,
        shown,
        "Versé",
        shown,
        "VIR-9",
    ]
    rows = sheet_of(desk, etat="tous")
    assert rows[0] == head
    assert rows[1][:12] == first[:12] and rows[1][12:16] == [12000.5, rule, today, "À verser"]
    assert rows[2][12] == 7000 and rows[2][16:] == [today, "VIR-9"]


CANARY = "=cmd|'/c calc'!A1"


@pytest.mark.parametrize(
    "word", [CANARY, "+33+1", "- 2", "@SUM(A1)", "\tx", "\u00a0=1", "＝1", 'é;"guillemets"\nligne']
)
def test_no_cell_becomes_a_formula(word, ans, desk):
    application = validated(by=ans)
    application.answers.filter(question__key="titulaire").update(value=word)
    pay(application, by=ans, reference=word.strip()[:60])
    row = csv_of(desk, etat="tous")[1]
    assert len(row) == len(writers.COLUMNS)
    for cell in (row[8], row[17]):
        assert cell == harmless(cell) and word.strip() in cell
    holder = sheet_of(desk, etat="tous")[1][8]
    assert holder == word
    answer = desk.get(reverse("funding:payments_xlsx"), {"etat": "tous"})
    assert b"<f>" not in _sheet_xml(b"".join(answer.streaming_content))


def _sheet_xml(book: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return archive.read("xl/worksheets/sheet1.xml")


def test_the_account_is_the_one_that_the_ans_confirmed_last(ans, desk):
    application = dossier_in("accepted")
    rib = SimpleUploadedFile("rib.pdf", pdf(line="RIB"))
    asked = change_bank_details(application, by=application.referent, values=NEW, upload=rib)
    waiting = accounts([application])[application.pk]
    assert (waiting.iban, waiting.is_changing) == (IBAN, True), "asked for, not confirmed"
    confirm_bank_details(asked, by=ans, at=timezone.now())
    found = accounts([application])[application.pk]
    assert (found.holder, found.iban, found.bic, found.is_changing) == (*NEW.values(), False)


def test_an_account_that_is_about_to_change_is_marked(ans, desk):
    application = validated(by=ans)
    rib = SimpleUploadedFile("rib.pdf", pdf(line="RIB"))
    change_bank_details(application, by=application.referent, values=NEW, upload=rib)
    assert "Changement demandé" in list_of(desk).text
    assert csv_of(desk)[1][9:12] == [IBAN, BIC, "oui"]


def test_a_dossier_without_an_account_says_so(ans, desk):
    application = validated(by=ans)
    application.answers.all().delete()
    assert "Coordonnées bancaires inconnues" in list_of(desk).text
    assert csv_of(desk)[1][8:11] == ["", "", ""]


def test_what_is_found_by_each_filter(ans, desk):
    one, two = domain_that_pays(slug="un"), domain_that_pays(slug="deux")
    waiting, other = validated(by=ans, domain=one), validated(by=ans, domain=two)
    paid = pay(validated(by=ans, domain=one), by=ans)
    dossier_in("under_control", domain=one)
    dossier_in("validated", domain=one)  # whose decision nobody took
    for criteria, expected in [
        ({}, {waiting, other}),
        ({"etat": "verses"}, {paid}),
        ({"etat": "tous"}, {waiting, other, paid}),
        ({"domaine": "un"}, {waiting}),
        ({"domaine": "un", "etat": "tous"}, {waiting, paid}),
        ({"q": other.reference}, {other}),
        ({"q": paid.establishment.finess, "etat": "tous"}, {paid}),
        ({"q": "introuvable"}, set()),
    ]:
        found = {dossier.reference for dossier in expected}
        assert references(csv_of(desk, **criteria)) == found, criteria
        assert references(sheet_of(desk, **criteria)) == found, criteria
        assert {row.record.reference for row in list_of(desk, **criteria).context["table"].rows} == found, criteria


def test_a_period_is_of_the_decision_or_of_the_payment_and_its_last_day_counts(ans, desk):
    """Paris days: a decision at 23 h 30 UTC in summer is of the next day."""
    waiting, paid = validated(by=ans), pay(validated(by=ans), by=ans)
    late = timezone.datetime(2026, 7, 1, 22, 30, tzinfo=timezone.get_fixed_timezone(0))
    Decision.objects.update(validated_at=late)
    assert paris_day(late) == date(2026, 7, 2)
    Payment.objects.update(paid_on=date(2026, 7, 20))
    for first, last, expected in [
        ("2026-07-02", "2026-07-02", {waiting}),
        ("2026-07-03", "", {paid}),
        ("", "2026-07-01", set()),
        ("2026-07-02", "2026-07-20", {waiting, paid}),
        ("2026-07-20", "2026-07-20", {paid}),
        ("20/07/2026", "20/07/2026", {paid}),
        ("2026-07-21", "", set()),
    ]:
        found = references(csv_of(desk, etat="tous", du=first, au=last))
        assert found == {dossier.reference for dossier in expected}, (first, last)


def test_the_sum_stands_on_the_page_exactly_and_not_in_the_file(ans, desk):
    for cents in (1_200_050, 700_049):
        validated(by=ans, lines=[line(cents)])
    page = list_of(desk, per_page=10)
    assert "2 dossiers, 19\u00a0000,99\u00a0€ en tout" in page.text
    assert len(csv_of(desk)) == 3


def test_each_download_is_in_the_journal_before_it_leaves(ans, desk):
    validated(by=ans)
    domain = Domain.objects.get().slug
    csv_of(desk, etat="tous", domaine=domain, autre="x")
    sheet_of(desk)
    desk.head(reverse("funding:payments_csv"))
    entries = list(Entry.objects.filter(subject="payments").order_by("sequence"))
    assert [(entry.verb, entry.actor) for entry in entries] == [("download_payments", ans.actor[0])] * 2
    assert entries[0].data["format"] == "csv" and entries[0].data["criteria"] == {"etat": "tous", "domaine": domain}
    assert entries[1].data == {"format": "xlsx", "criteria": {}, "rows": 1}
    assert IBAN not in str([entry.data for entry in entries])


def test_the_files_are_attachments_that_the_day_names(desk):
    for extension in ("csv", "xlsx"):
        answer = desk.get(reverse(f"funding:payments_{extension}"))
        name = f"versements-{timezone.localdate().isoformat()}.{extension}"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        answer.getvalue()


@pytest.mark.parametrize("count", [1, 10])
def test_the_list_costs_the_same_for_one_row_and_ten(count, ans, desk, django_assert_num_queries):
    domain = domain_that_pays()
    for _ in range(count):
        validated(by=ans, domain=domain)
    list_of(desk)
    with django_assert_num_queries(10):
        list_of(desk)
    with django_assert_num_queries(3):
        assert len(list(writers.rows(to_pay()))) == count


def test_rows_are_read_by_batches(ans, monkeypatch):
    monkeypatch.setattr(writers, "BATCH", 2)
    expected = {validated(by=ans).reference for _ in range(5)}
    assert {row[0] for row in writers.rows(to_pay())} == expected


def test_a_filter_that_cannot_be_read_lets_nothing_out(ans, desk):
    validated(by=ans)
    for wrong in ({"du": "hier"}, {"domaine": "inconnu"}, {"etat": "perdus"}):
        assert list_of(desk, **wrong).context["filter"].form.errors
        for extension in ("csv", "xlsx"):
            answer = desk.get(reverse(f"funding:payments_{extension}"), wrong)
            assert answer.status_code == 302 and answer.url.startswith(reverse("funding:payments") + "?"), wrong
    assert not Entry.objects.filter(subject="payments").exists()
