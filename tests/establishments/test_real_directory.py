"""The real directory: the hospitals shipped for the demo, and all of it where its folder stands beside the project."""

import pytest
from django.conf import settings
from django.core.management import call_command

from establishments.actions import import_directory
from establishments.models import DirectoryImport, Establishment, Ght, LegalEntity, Site
from establishments.readers import read_folder

SHIPPED = settings.BASE_DIR / "fixtures" / "finess"
WHOLE = settings.BASE_DIR.parent / "shared" / "data" / "finess"
NINE = {
    "340780543": "CH CLERMONT L'HERAULT",
    "340780519": "CH LODEVE",
    "340780535": "CH LUNEL",
    "120780291": "CH MAURICE FENAILLE",
    "120004528": "CH MILLAU",
    "340796358": "CH PAUL COSTE FLORET LAMALOU",
    "120004619": "CH ST AFFRIQUE",
    "340780477": "CHU MONTPELLIER",
    "340011295": "LES HOPITAUX DU BASSIN DE THAU",
}

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("folder", "entities", "sites"),
    [
        pytest.param(SHIPPED, 2_176, 16_855, id="shipped"),
        pytest.param(
            WHOLE,
            23_277,
            67_368,
            id="whole",
            marks=pytest.mark.skipif(not WHOLE.is_dir(), reason="the whole directory is not beside the project"),
        ),
    ],
)
def test_the_directory_makes_135_ght_30_public_and_1379_private_establishments(folder, entities, sites):
    report = import_directory(read_folder(folder))
    assert (LegalEntity.objects.count(), Site.objects.count(), Ght.objects.count()) == (entities, sites, 135)
    kinds = [Establishment.objects.open().filter(kind=kind).count() for kind in Establishment.Kind]
    assert kinds == [135, 30, 1_379]
    assert report.total("refused") == 0
    assert report.total("warned") == 6  # sites of category 999, which the nomenclature does not know

    ght = Establishment.objects.get(ght__code="OCC-04")
    assert (ght.finess, ght.region.name) == ("340780477", "Occitanie")
    assert {entity.finess: entity.name for entity in ght.entities()} == NINE
    assert Establishment.objects.get(legal_entity__finess="640020707").kind == "public"
    for words in ("OCC-04", "occ 4", "120004619", "CH Lodève", "hôpitaux bassin de thau"):
        assert ght in Establishment.objects.open().matching(words), words
    assert list(Establishment.objects.matching("occ-04")) == [ght]

    again = import_directory(read_folder(folder))
    assert not any(again.total(measure) for measure in ("created", "changed", "closed", "reopened"))


def test_shipping_what_is_shipped_changes_no_byte(tmp_path):
    call_command("ship_hospitals", SHIPPED, tmp_path / "finess", verbosity=0)
    for path in (tmp_path / "finess").iterdir():
        assert path.read_bytes() == (SHIPPED / path.name).read_bytes(), path.name
    assert not DirectoryImport.objects.exists()
