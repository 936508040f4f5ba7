"""Scales from CSV: read, checked line by line, loaded as a whole or not at all."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from applications.models import Bracket, Domain
from applications.scales import ScaleError, missing_kinds, read_scales
from ecare.journal.models import Entry
from tests.factories import DomainFactory

HEADER = "domaine;type;journees_de;journees_a;plafond_euros"
SCALES = sorted((settings.BASE_DIR / "fixtures" / "baremes").glob("*.csv"))


@pytest.fixture
def file(tmp_path):
    """`file(line, …)`: a scale of these lines below its header."""

    def write(*lines, header=HEADER, encoding="utf-8"):
        path = tmp_path / "bareme.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
        return path

    return write


def load(path, **options):
    said = StringIO()
    call_command("load_scales", path, stdout=said, **options)
    return said.getvalue()


def rows(domain):
    return list(domain.scale.values_list("kind", "days_from", "days_until", "ceiling"))


@pytest.mark.django_db
def test_a_scale_is_loaded_once_and_again_without_effect(file):
    domain = DomainFactory(slug="essai", kinds=["public"])
    path = file("# inventé", "essai;public;0;4 999;7000", "essai;public;5000;;12 000,50")
    assert "essai : 2 tranches chargées" in load(path)
    assert rows(domain) == [("public", 0, 4999, 700_000), ("public", 5000, None, 1_200_050)]
    ids = set(Bracket.objects.values_list("pk", flat=True))
    assert "rien à changer" in load(path)
    assert set(Bracket.objects.values_list("pk", flat=True)) == ids
    assert Entry.objects.filter(subject="domain:essai", verb="load_scale").count() == 1


@pytest.mark.django_db
def test_the_whole_scale_of_a_domain_is_replaced_and_that_of_no_other(file):
    domain, other = DomainFactory(slug="essai", kinds=["ght"]), DomainFactory()
    for one in (domain, other):
        Bracket.objects.create(domain=one, kind="public", days_from=0, ceiling=1)
    load(file("essai;ght;0;;7000"))
    assert rows(domain) == [("ght", 0, None, 700_000)]
    assert rows(other) == [("public", 0, None, 1)]


@pytest.mark.django_db
def test_a_scale_is_a_demonstration_s_unless_it_is_said_official(file):
    DomainFactory(slug="essai", kinds=["ght"])
    path = file("essai;ght;0;;7000")
    for official in (True, False):
        load(path, official=official)
        assert Domain.objects.get().has_official_scale is official


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_what_a_spreadsheet_saves_is_read(file, encoding):
    assert len(read_scales(file("# Barème", "essai;ght;0;;7000", "", encoding=encoding))["essai"]) == 1


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["essai;ght;0;;"], "ligne 2 : « plafond_euros » est vide."),
        (["essai;ght;0"], "ligne 2 : 3 champs au lieu de 5."),
        ([";ght;0;;7000"], "ligne 2 : le domaine manque."),
        (["essai;clinique;0;;7000"], "ligne 2 : type « clinique » inconnu ; connus : ght, public, private."),
        (["essai;ght;zéro;;7000"], "ligne 2 : « journees_de », « zéro » : Saisissez un nombre entier"),
        (["essai;ght;0;;sept mille"], "ligne 2 : « plafond_euros », « sept mille » : Saisissez un montant"),
        (["essai;ght;0;;-1"], "ligne 2 : « plafond_euros », « -1 »"),
        (["essai;ght;10;;7000"], "ligne 2 : la tranche commence à 10 journées, 0 est attendu."),
        (["essai;ght;0;9;7000", "essai;ght;11;;8000"], "ligne 3 : la tranche commence à 11 journées, 10 est attendu."),
        (["essai;ght;0;9;7000", "essai;ght;5;;8000"], "ligne 3 : la tranche commence à 5 journées, 10 est attendu."),
        (["essai;ght;0;;7000", "essai;ght;5;;8000"], "ligne 3 : la tranche précédente est sans limite."),
        (["essai;ght;0;;7000", "essai;ght;0;;8000"], "ligne 3 : la tranche précédente est sans limite."),
        (["essai;ght;0;9;7000", "essai;ght;10;3;8000"], "ligne 3 : la tranche finit avant de commencer."),
        (["essai;ght;0;9;7000"], "ligne 2 : c’est la dernière tranche"),
        ([], "aucune tranche."),
    ],
)
def test_a_wrong_line_is_named(file, lines, told):
    with pytest.raises(ScaleError) as refused:
        read_scales(file(*lines))
    assert told in str(refused.value)


def test_every_wrong_line_is_named_at_once(file):
    with pytest.raises(ScaleError) as refused:
        read_scales(file("essai;ght;0;;", "# note", "essai;lune;0;;1"))
    assert [line.partition(" : ")[0] for line in str(refused.value).splitlines()] == [
        "bareme.csv, ligne 2",
        "bareme.csv, ligne 4",
    ]


@pytest.mark.parametrize("header", ["a;b", "domaine,type,journees_de,journees_a,plafond_euros"])
def test_another_file_is_refused(file, header):
    with pytest.raises(ScaleError, match="en-tête"):
        read_scales(file(header=header))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["essai;ght;0;;7000"], "essai, aucune tranche pour Entité Juridique Privée"),
        (["essai;ght;0;;7000", "essai;private;0;;7000", "autre;ght;0;;1"], "le domaine « autre » n’existe pas"),
    ],
)
def test_a_file_that_cannot_be_taken_whole_changes_nothing(file, lines, told):
    DomainFactory(slug="essai", kinds=["ght", "private"])
    with pytest.raises(CommandError, match=told):
        load(file(*lines))
    assert not Bracket.objects.exists()
    assert not Entry.objects.exists()


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="ne se lit pas"):
        load(tmp_path / "absent.csv")


def test_the_scales_of_the_repository_are_whole_and_say_that_they_are_invented():
    assert SCALES
    for path in SCALES:
        assert "non officiel" in path.read_text().splitlines()[0]
        assert list(read_scales(path)) == [path.stem]


def test_the_domains_of_the_repository_take_them_once_and_keep_their_own(domains, tmp_path):
    call_command("load_domains", verbosity=0)
    for domain in Domain.objects.all():
        assert domain.scale.exists()
        assert not domain.has_official_scale
        assert missing_kinds(domain, list(domain.scale.all())) == []
    domain = domains["domaine-1"]
    domain.scale.update(ceiling=123_456_700)
    call_command("load_domains", verbosity=0)
    assert set(domain.scale.values_list("ceiling", flat=True)) == {123_456_700}
