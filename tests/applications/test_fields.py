"""What may be typed for each kind of question, what is kept, and what is said otherwise."""

import pytest
from django.core.exceptions import ValidationError
from stdnum import luhn

from applications.fields import field_for
from applications.models import Question
from tests.factories import LegalEntityFactory

CHOICES = [["a", "Réponse A"], ["b", "Réponse B"], ["c", "Réponse C"]]


def field_of(kind, **options):
    return field_for(Question(kind=kind, key="q", label="Question", choices=CHOICES, **options))


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", "  CH  de la\tVille ", "CH de la Ville"),
        ("text", "", ""),
        ("long_text", "Une ligne.\r\nUne autre.", "Une ligne.\nUne autre."),
        ("number", "1 250", 1250),
        ("number", "0", 0),
        ("number", "", None),
        ("amount", "7 000,50", 700050),
        ("amount", "7\u202f000,5 €", 700050),
        ("amount", "7000.50", 700050),
        ("amount", "0,29", 29),
        ("amount", "", None),
        ("date", "2026-11-21", "2026-11-21"),
        ("date", "21/11/2026", "2026-11-21"),
        ("date", "", None),
        ("email", "claire.martin@exemple.fr", "claire.martin@exemple.fr"),
        ("phone", "04 67 33 67 33", "+33467336733"),
        ("phone", "+33 (0)4.67.33.67.33", "+33467336733"),
        ("phone", "0590 12 34 56", "+590590123456"),
        ("phone", "+262 262 90 20 20", "+262262902020"),
        ("phone", "", ""),
        ("civility", "madame", "madame"),
        ("choice", "b", "b"),
        ("choice", "", ""),
        ("choices", ["a", "c"], ["a", "c"]),
        ("choices", [], []),
        ("checkbox", True, True),
        ("checkbox", False, False),
        ("iban", "fr76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189"),
        ("iban", "", ""),
        ("bic", " bdfe frppcct", "BDFEFRPPCCT"),
        ("bic", "AGRIFRPP", "AGRIFRPP"),
        ("siret", "263 400 160 00012", "26340016000012"),
    ],
)
def test_what_is_typed_becomes_the_documented_value(kind, typed, kept):
    if kind == "siret":
        typed = kept = _siret()
    assert field_of(kind).clean(typed) == kept


def _siret():
    """A SIRET whose two keys are right."""
    siren = "34078047"
    siren += luhn.calc_check_digit(siren)
    return siren + "0001" + luhn.calc_check_digit(siren + "0001")


WRONG = [
    ("text", "x" * 201, "Ce texte est trop long : 200 caractères au plus, il en compte 201."),
    ("long_text", "x" * 5001, "5 000 caractères au plus"),
    ("number", "douze", "Saisissez un nombre entier"),
    ("number", "1,5", "Saisissez un nombre entier"),
    ("number", "-3", "Saisissez un nombre entier"),
    ("number", "9" * 10, "trop grand"),
    ("amount", "sept mille", "Saisissez un montant en euros"),
    ("amount", "7,555", "deux chiffres au plus après la virgule"),
    ("amount", "1e9", "Saisissez un montant"),
    ("amount", "-1", "Saisissez un montant"),
    ("amount", "0", "Saisissez un montant supérieur à 0 €"),
    ("amount", "0,00", "Saisissez un montant supérieur à 0 €"),
    ("amount", "99999999999", "Ce montant est trop grand : saisissez au plus 1 000 000 000 €"),
    ("date", "31/02/2026", "Saisissez une date valide"),
    ("date", "0202-11-21", "vérifiez l’année"),
    ("email", "claire.martin", "Cette adresse e-mail n’est pas valable"),
    ("phone", "12", "Ce numéro de téléphone n’est pas reconnu"),
    ("phone", "appelez-moi", "Ce numéro de téléphone n’est pas reconnu"),
    ("civility", "docteur", "Sélectionnez un choix valide"),
    ("choice", "z", "Sélectionnez un choix valide"),
    ("choices", ["a", "z"], "Sélectionnez un choix valide"),
    ("iban", "FR76 3000 6000 0112", "compte 16 caractères"),
    ("iban", "FR77 3000 6000 0112 3456 7890 189", "La clé de contrôle de cet IBAN est fausse"),
    ("iban", "FR49 3000 6000 0112 3456 7890 190", "La clé RIB de cet IBAN est fausse"),
    ("iban", "ZZ76 3000 6000 0112 3456 7890 189", "Le pays de cet IBAN n’est pas reconnu"),
    ("iban", "mon compte", "Cet IBAN n’est pas reconnu"),
    ("bic", "BDFEFR", "Un BIC compte 8 ou 11 caractères"),
    ("bic", "BDFEZZPP", "Le pays de ce BIC n’est pas reconnu"),
    ("bic", "1234FRPP", "Ce BIC n’est pas reconnu"),
    ("siret", "123", "Un SIRET compte 14 chiffres"),
    ("siret", "12345678901234", "La clé de ce SIRET est fausse"),
]


@pytest.mark.parametrize(("kind", "typed", "message"), WRONG)
def test_what_is_wrong_is_refused_with_what_to_do(kind, typed, message):
    with pytest.raises(ValidationError) as refused:
        field_of(kind).clean(typed)
    assert message in " ".join(refused.value.messages).replace("\u00a0", " ")


@pytest.mark.parametrize("kind", [kind for kind in Question.Kind.values if kind not in ("evidence", "checklist")])
def test_a_draft_may_leave_any_question_empty_yet_its_asterisk_shows(kind):
    field = field_of(kind)
    assert field.clean([] if kind == "choices" else "") in ("", None, [], False)
    assert field.marked_required
    assert not field_of(kind, is_required=False).marked_required


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        ("amount", 700050, "7\u202f000,50"),
        ("amount", 700000, "7\u202f000"),
        ("amount", 5, "0,05"),
        ("iban", "FR7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189"),
        ("phone", "+33467336733", "+33 4 67 33 67 33"),
        ("text", "CH de la Ville", "CH de la Ville"),
    ],
)
def test_a_kept_value_comes_back_as_one_types_it_and_means_the_same(kind, value, typed):
    field = field_of(kind)
    assert field.typed(value) == typed
    assert field.clean(typed) == value


class TestChecklist:
    @pytest.fixture
    def entities(self, db):
        return [LegalEntityFactory(name=name) for name in ("CH A", "CH B", "CH C")]

    def read(self, entities, **lines):
        """The field's value for `lines`: a=True (ticked), b="raison"."""
        field = field_for(Question(kind="checklist", key="q", label="Entités"), entities=entities)
        data = {}
        for name, said in lines.items():
            if name == "all":
                data["q:all"] = "1"
                continue
            finess = entities["abc".index(name[0])].finess
            data["q:" + finess + (":reason" if isinstance(said, str) else "")] = said
        return field.clean(field.widget.value_from_datadict(data, {}, "q"))

    def test_each_entity_is_confirmed_or_has_a_reason(self, entities):
        a, b, _ = (entity.finess for entity in entities)
        assert self.read(entities, a=True, b=" Fermée en juin ") == {a: "", b: "Fermée en juin"}

    def test_the_button_confirms_every_entity_without_a_reason(self, entities):
        a, b, c = (entity.finess for entity in entities)
        assert self.read(entities, all=True, b="Fermée") == {a: "", b: "Fermée", c: ""}

    def test_confirmed_with_a_reason_is_refused_by_name(self, entities):
        with pytest.raises(ValidationError, match=r"CH B.*décochez"):
            self.read(entities, b=True, b2="Fermée")

    def test_a_reason_has_a_limit(self, entities):
        with pytest.raises(ValidationError, match="500 caractères au plus"):
            self.read(entities, c="x" * 501)

    def test_a_reason_holds_nothing_that_no_database_keeps(self, entities):
        with pytest.raises(ValidationError, match="caractère invisible"):
            self.read(entities, c="Fermée\0en juin")

    def test_an_entity_of_somebody_else_is_not_kept(self, entities):
        assert self.read(entities[:2], a=True) == {entities[0].finess: ""}
