"""The import of the published directory: who may apply, what a second run changes, what closes and comes back."""

import re
import sys
from contextlib import contextmanager
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from ecare.journal.models import Entry
from establishments.actions import import_directory
from establishments.models import Activity, DirectoryImport, Establishment, Ght, LegalEntity, Region, Site
from establishments.readers import read_folder
from tests.establishments.conftest import CHU, CLINIC, GARAZI, LUNEL
from tests.factories import finess

pytestmark = pytest.mark.django_db


def open_establishments():
    return {(one.kind, one.name) for one in Establishment.objects.open()}


def rows():
    """Every row of the directory, to see that nothing moved."""
    tables = [Region, LegalEntity, Site, Ght, Ght.members.through, Activity, Establishment]
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


# --- what it makes ----------------------------------------------------------------------------------------------
def test_a_folder_makes_establishments_of_three_kinds(folder):
    folder.run()
    assert open_establishments() == {
        ("ght", "EST HÉRAULT"),
        ("public", "EPS GARAZI"),
        ("private", "CLINIQUE SAINTE-THÉRÈSE"),
    }


def test_a_ght_stands_in_the_region_of_its_support_and_shows_its_members(folder):
    folder.entity(finess("64", 9), "CH DE L'AUTRE RÉGION", town="64000 PAU")
    folder.member(finess("64", 9))
    folder.run()
    ght = Establishment.objects.get(kind="ght")
    assert (ght.ght.code, ght.finess, ght.region.name) == ("OCC-04", CHU, "Occitanie")
    assert {entity.finess for entity in ght.entities()} == {CHU, LUNEL, finess("64", 9)}


def test_an_entity_is_stored_as_published(folder):
    folder.entity(
        finess("34", 20),
        "HOPITAL COURT",
        rslongue="HÔPITAL  AU NOM LONG",
        numvoie="12",
        compvoie="B",
        typvoie="AV",
        voie="DU DOYEN",
        lieuditbp="BP 7",
        telephone="0467336733",
        siren="263400103",
        libstatutjuridique="Etablissement Public",
    )
    folder.run()
    entity = LegalEntity.objects.get(finess=finess("34", 20))
    assert (entity.name, entity.address) == ("HÔPITAL AU NOM LONG", "12 B AV DU DOYEN BP 7")
    assert (entity.postcode, entity.town, entity.department_id) == ("34000", "MONTPELLIER", "34")
    assert (entity.phone, entity.legal_status_label) == ("0467336733", "Etablissement Public")
    assert entity.created_on.isoformat() == "1980-01-01"


def test_an_entity_without_hospital_site_or_without_status_may_not_apply(folder):
    site = folder.entity(finess("34", 21), "EHPAD", status="73")
    folder.sites[site] |= {"categetab": "500", "categagretab": "4401"}
    folder.entity(finess("34", 22), "SANS STATUT", status="")
    folder.run()
    assert LegalEntity.objects.filter(name__in=["EHPAD", "SANS STATUT"]).count() == 2
    assert Establishment.objects.filter(name__in=["EHPAD", "SANS STATUT"]).count() == 0


def test_regions_are_in_the_order_of_a_french_dictionary(folder):
    folder.regions += [["11", "Île-de-France", "ARS"], ["02", "Martinique", "ARS"], ["04", "La Réunion", "ARS"]]
    folder.run()
    names = [region.name for region in Region.objects.all()]
    assert names == ["Île-de-France", "La Réunion", "Martinique", "Nouvelle-Aquitaine", "Occitanie"]


def test_activity_is_kept_by_year(folder):
    folder.run()
    folder.activities[0][2] = "900000"
    folder.activities.append([CHU, "2024", "700000"])
    report = folder.run()
    assert dict(Activity.objects.filter(legal_entity__finess=CHU).values_list("year", "days")) == {
        2024: 700_000,
        2025: 900_000,
    }
    assert (report.counts["activities"]["changed"], report.counts["activities"]["created"]) == (1, 1)


# --- again --------------------------------------------------------------------------------------------------------
def test_a_second_run_changes_nothing(folder, django_assert_max_num_queries):
    folder.run()
    before = rows()
    with django_assert_max_num_queries(40):
        report = folder.run()
    assert rows() == before
    for kind, counts in report.counts.items():
        assert counts["unchanged"] > 0, kind
        assert not any(counts[measure] for measure in ("created", "changed", "closed", "reopened")), kind


def test_only_what_differs_is_written(folder):
    folder.run()
    folder.entities[CLINIC]["rs"] = "CLINIQUE RENOMMÉE"
    report = folder.run()
    assert {kind: counts["changed"] for kind, counts in report.counts.items() if counts["changed"]} == {
        "legal_entities": 1,
        "establishments": 1,
    }
    assert Establishment.objects.get(kind="private").name == "CLINIQUE RENOMMÉE"


def test_a_file_left_out_leaves_its_part_of_the_directory_alone(folder):
    folder.run()
    before = rows()
    folder.write(without=("liste-ght-*", "activite-*", "etalab-cs1100502-*", "regions.csv", "departements.csv"))
    import_directory(read_folder(folder.path))
    assert rows() == before


# --- closing, reopening, moving ----------------------------------------------------------------------------------
def test_what_the_files_no_longer_list_is_closed_and_comes_back(folder):
    folder.run()
    establishment = Establishment.objects.get(kind="private")
    fields = folder.entities.pop(CLINIC)
    report = folder.run()
    assert (report.counts["legal_entities"]["closed"], report.counts["establishments"]["closed"]) == (1, 1)
    assert LegalEntity.objects.get(finess=CLINIC).closed_on
    establishment.refresh_from_db()
    assert establishment.closed_on
    assert establishment not in Establishment.objects.open()

    folder.entities[CLINIC] = fields
    report = folder.run()
    assert (report.counts["legal_entities"]["reopened"], report.counts["establishments"]["reopened"]) == (1, 1)
    establishment.refresh_from_db()
    assert establishment.closed_on is None
    verbs = Entry.objects.filter(subject=f"establishment:{establishment.pk}").values_list("verb", flat=True)
    assert list(verbs.order_by("sequence")) == ["closed", "reopened"]


def test_a_closed_entity_stays_closed_on_its_first_day(folder):
    folder.run()
    folder.entities.pop(CLINIC)
    folder.run()
    LegalEntity.objects.filter(finess=CLINIC).update(closed_on="2026-01-31")
    report = folder.run()
    assert report.counts["legal_entities"]["closed"] == 0
    assert LegalEntity.objects.get(finess=CLINIC).closed_on.isoformat() == "2026-01-31"


def test_losing_its_last_hospital_site_closes_an_establishment(folder):
    folder.run()
    [site] = [number for number, fields in folder.sites.items() if fields["nofinessej"] == GARAZI]
    folder.sites.pop(site)
    report = folder.run()
    assert report.counts["sites"]["closed"] == 1
    assert ("public", "EPS GARAZI") not in open_establishments()


def test_joining_a_ght_ends_ones_own_candidacy_and_leaving_it_opens_one(folder):
    folder.run()
    folder.member(GARAZI)
    folder.members = [member for member in folder.members if member[4] != LUNEL]
    report = folder.run()
    assert report.counts["ghts"]["changed"] == 1
    assert open_establishments() == {
        ("ght", "EST HÉRAULT"),
        ("public", "CH LUNEL"),
        ("private", "CLINIQUE SAINTE-THÉRÈSE"),
    }


def test_a_ght_taken_off_the_list_closes_and_frees_its_public_members(folder):
    folder.run()
    folder.members = []
    report = folder.run()
    assert report.counts["ghts"]["closed"] == 1
    assert ("ght", "EST HÉRAULT") not in open_establishments()
    assert {("public", "CHU MONTPELLIER"), ("public", "CH LUNEL")} <= open_establishments()


def test_an_entity_that_turns_private_keeps_its_establishment(folder):
    folder.run()
    establishment = Establishment.objects.get(name="EPS GARAZI")
    folder.entities[GARAZI]["statutjuridique"] = "60"
    folder.run()
    establishment.refresh_from_db()
    assert (establishment.kind, establishment.closed_on) == ("private", None)


def test_a_new_support_moves_the_group_to_its_region(folder):
    folder.entity(finess("64", 9), "CH DE PAU", town="64000 PAU")
    folder.member(finess("64", 9))
    folder.run()
    folder.members[0][6], folder.members[2][6] = "", "O"
    for member in folder.members:
        member[2] = "75"
    folder.run()
    ght = Establishment.objects.get(kind="ght")
    assert (ght.finess, ght.region.name) == (finess("64", 9), "Nouvelle-Aquitaine")


# --- refusals and warnings -----------------------------------------------------------------------------------------
def test_refused_lines_are_skipped_and_reported_with_line_and_reason(folder):
    folder.write()
    wrong = CHU[:-1] + str((int(CHU[-1]) + 1) % 10)
    unknown = finess("34", 99)
    site = ";".join(["structureet", finess("34", 600_000), unknown, "SITE", *[""] * 28])
    folder.append("etalab-cs1100501-*", f"structureej;{wrong};NOM" + ";" * 20, f"structureej;{finess('34', 98)};NOM;;")
    folder.append("etalab-cs1100502-*", site)
    folder.append("liste-ght-*", f"OCC-04;EST HÉRAULT;76;ARS Occitanie;{unknown};NOM;", "OCC-04;EST HÉRAULT;76")
    folder.append("activite-*", f"{unknown};2025;12")
    report = import_directory(read_folder(folder.path))
    assert report.remarks == [
        {"file": name, "line": line, "severity": "refused", "reason": reason}
        for name, line, reason in [
            ("etalab-cs1100501-stock-20261101.csv", 6, f"clé FINESS fausse : {wrong}"),
            ("etalab-cs1100501-stock-20261101.csv", 7, "5 champs au lieu de 23"),
            ("etalab-cs1100502-stock-20261101.csv", 6, f"EJ inconnue : {unknown}"),
            ("liste-ght-2026.csv", 4, f"EJ inconnue : {unknown}"),
            ("liste-ght-2026.csv", 5, "nombre de champs différent de celui de l’en-tête"),
            ("activite-ej-2025.csv", 4, f"EJ inconnue : {unknown}"),
        ]
    ]
    assert LegalEntity.objects.count() == 4
    assert len(open_establishments()) == 3


def test_a_refused_line_does_not_close_its_entity(folder):
    folder.run()
    folder.entities.pop(CLINIC)
    folder.write()
    folder.append("etalab-cs1100501-*", f"structureej;{CLINIC};CLINIQUE;;")
    report = import_directory(read_folder(folder.path))
    assert report.counts["legal_entities"]["refused"] == 1
    assert report.counts["legal_entities"]["closed"] == 0
    assert LegalEntity.objects.get(finess=CLINIC).closed_on is None


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"siren": "263400104"}, "SIREN faux : 263400104"),
        ({"datecrea": "1980-13-01"}, "date de création illisible : 1980-13-01"),
        ({"ligneacheminement": "SETE"}, "ligne d’acheminement sans code postal : SETE"),
        ({"departement": "9Z"}, "département inconnu : 9Z"),
        ({"rs": "N" * 61}, f"valeur trop longue, coupée à 60 caractères : {'N' * 61}"),
        ({"rs": ""}, "raison sociale absente"),
    ],
)
def test_another_fault_warns_and_the_line_is_loaded(folder, fields, fault):
    folder.run()
    folder.entities[CLINIC] |= fields
    report = folder.run()
    expected = {"file": "etalab-cs1100501-stock-20261101.csv", "line": 5, "severity": "warned", "reason": fault}
    assert report.remarks == [expected]
    assert report.counts["legal_entities"]["warned"] == 1
    assert Establishment.objects.open().filter(kind="private").count() == 1


def test_a_wrong_siret_warns(folder):
    folder.sites[next(iter(folder.sites))]["siret"] = "26340010300001"
    report = folder.run()
    assert [remark["reason"] for remark in report.remarks] == ["SIRET faux : 26340010300001"]


def test_an_entity_whose_region_was_never_known_is_not_offered(folder):
    folder.entities[CLINIC]["departement"] = "9Z"
    report = folder.run()
    assert report.remarks[-1]["reason"].endswith("région inconnue, ne peut pas candidater")
    assert not Establishment.objects.filter(kind="private").exists()


def test_of_two_lines_for_one_entity_the_last_prevails(folder):
    folder.write()
    line = (folder.path / "etalab-cs1100501-stock-20261101.csv").read_text(encoding="latin-1").splitlines()[-1]
    folder.append("etalab-cs1100501-*", line.replace("CLINIQUE", "POLYCLINIQUE"))
    report = import_directory(read_folder(folder.path))
    assert report.counts["legal_entities"]["warned"] == 1
    assert LegalEntity.objects.get(finess=CLINIC).name.startswith("POLYCLINIQUE")


def test_a_group_without_support_keeps_the_one_it_had_and_a_new_one_waits(folder):
    folder.run()
    folder.members[0][6] = ""
    folder.member(GARAZI, code="NA-09", name="NOUVEAU GROUPE", region="75")
    report = folder.run()
    assert [remark["reason"] for remark in report.remarks] == [
        "OCC-04 : aucun établissement support, l’ancien est gardé",
        "NA-09 : aucun établissement support, GHT laissé de côté",
    ]
    assert Establishment.objects.get(kind="ght").finess == CHU


def test_the_region_of_the_list_and_of_the_support_should_agree(folder):
    folder.members[0][2] = "75"
    report = folder.run()
    [remark] = report.remarks
    assert remark["reason"] == "OCC-04 : région 75, mais son établissement support est en 76"


# --- all or nothing ------------------------------------------------------------------------------------------------
def test_a_file_that_is_not_an_extract_stops_everything(folder):
    folder.write()
    (folder.path / "etalab-cs1100502-stock-20261101.csv").write_text("finess;nom\n", encoding="latin-1")
    with pytest.raises(CommandError, match="n’est pas celle d’un extrait FINESS"):
        call_command("import_finess", folder.path, verbosity=0)
    assert not LegalEntity.objects.exists()


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CommandError, match="Aucun fichier du répertoire"):
        call_command("import_finess", tmp_path, verbosity=0)


def test_an_error_on_the_way_rolls_everything_back(folder):
    folder.run()
    before = rows(), DirectoryImport.objects.count()
    folder.entities[CLINIC]["rs"] = "CLINIQUE RENOMMÉE"
    directory = folder.write() or read_folder(folder.path)
    directory.activities.lines[0].values = (2025, None)  # the database refuses an activity without figure
    with pytest.raises(IntegrityError):
        import_directory(directory)
    assert (rows(), DirectoryImport.objects.count()) == before


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(folder, capsys):
    folder.write()
    call_command("import_finess", folder.path, "--dry-run")
    printed = capsys.readouterr().out
    assert "Essai à blanc" in printed
    assert not LegalEntity.objects.exists()
    assert not DirectoryImport.objects.exists()
    assert not Entry.objects.exists()


# --- the report ----------------------------------------------------------------------------------------------------
def test_the_report_is_printed_and_kept(folder, capsys):
    folder.write()
    folder.append("activite-*", f"{finess('34', 99)};2025;12")
    call_command("import_finess", folder.path)
    printed = capsys.readouterr().out
    assert "etalab-cs1100501-stock-20261101.csv : 4 lignes, extrait du 2026-11-01" in printed
    assert f"Refusée : activite-ej-2025.csv, ligne 4 : EJ inconnue : {finess('34', 99)}" in printed
    assert "Entité Juridique Privée : 1" in printed
    report = DirectoryImport.objects.get()
    assert report.counts["legal_entities"]["created"] == 4
    assert report.total("refused") == len(report.remarks) == 1
    assert Entry.objects.get(subject="directory").verb == "import"


def test_a_long_list_of_remarks_is_cut_on_screen_only(folder, capsys):
    folder.write()
    folder.append("activite-*", *[f"{finess('34', 99)};{year};12" for year in range(2000, 2005)])
    call_command("import_finess", folder.path, "--remarks", "2")
    assert "… et 3 autres remarques, gardées avec le rapport." in capsys.readouterr().out
    assert len(DirectoryImport.objects.get().remarks) == 5


# --- the progress bar ---------------------------------------------------------------------------------------------
class Bars:
    """Stands for tqdm, and keeps of each bar its total and how far it came."""

    def __init__(self):
        self.totals, self.reached = {}, {}

    @contextmanager
    def __call__(self, label, total):
        assert label not in self.totals
        self.totals[label], self.reached[label] = total, 0

        def update(count):
            self.reached[label] += count

        yield SimpleNamespace(update=update)


def test_the_bars_come_to_the_number_of_lines_of_the_files(folder):
    folder.write()
    folder.append("etalab-cs1100502-*", *["structureet;illisible"] * 2500)
    bars = Bars()
    import_directory(read_folder(folder.path, progress=bars), progress=bars)
    assert (
        bars.totals
        == bars.reached
        == {
            "Lecture de etalab-cs1100501-stock-20261101.csv": 4,
            "Lecture de etalab-cs1100502-stock-20261101.csv": 2504,
            "Écriture : Régions": 2,
            "Écriture : Départements": 2,
            "Écriture : Entités juridiques (EJ)": 4,
            "Écriture : Entités géographiques (EG)": 4,
            "Écriture : GHT": 1,
            "Écriture : Activités combinées": 2,
        }
    )


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("verbosity", "shown"), [(1, True), (0, False)])
def test_the_command_draws_a_bar_for_each_file_on_a_terminal_unless_told_to_be_quiet(
    folder, monkeypatch, verbosity, shown
):
    folder.write()
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    call_command("import_finess", folder.path, verbosity=verbosity, stdout=StringIO())
    drawn = re.findall(r"(Lecture de \S+|Écriture : GHT): +0%.*? 0/(\d+) ", terminal.getvalue())
    expected = [
        ("Lecture de etalab-cs1100501-stock-20261101.csv", "4"),
        ("Lecture de etalab-cs1100502-stock-20261101.csv", "4"),
        ("Écriture : GHT", "1"),
    ]
    assert drawn == (expected if shown else [])


def test_the_command_draws_nothing_into_a_file(folder, monkeypatch):
    folder.write()
    monkeypatch.setattr(sys, "stderr", file := StringIO())
    call_command("import_finess", folder.path, stdout=StringIO())
    assert file.getvalue() == ""
