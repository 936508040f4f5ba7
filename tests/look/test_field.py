"""A field is heard as it is seen: label, hint and errors belong to it."""

import re

import pytest
from django import forms

from tests.look.gallery import CHOICES, GalleryForm

FIELDS = list(GalleryForm.base_fields)


@pytest.fixture
def empty():
    return GalleryForm({}, {})


def tags(html, name):
    return re.findall(rf"<{name}\b[^>]*>", html)


def attribute(tag, name):
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found and found[1]


@pytest.mark.parametrize("name", FIELDS)
def test_every_announced_description_exists(empty, name):
    html = empty[name].as_field_group()
    announced = " ".join(re.findall(r'aria-describedby="([^"]*)"', html)).split()
    assert announced if empty[name].errors else not announced
    for identifier in announced:
        assert html.count(f'id="{identifier}"') == 1


@pytest.mark.parametrize("name", ["name", "password", "file", "met", "reached"])
def test_hint_and_error_are_both_announced(empty, name):
    html = empty[name].as_field_group()
    assert f'aria-describedby="id_{name}_helptext id_{name}_error"' in html
    assert 'aria-invalid="true"' in html


@pytest.mark.parametrize("name", FIELDS)
def test_every_control_has_its_label(empty, name):
    html = empty[name].as_field_group()
    controls = [attribute(tag, "id") for kind in ("input", "select", "textarea") for tag in tags(html, kind)]
    assert controls
    for identifier in controls:
        assert f'for="{identifier}"' in html


@pytest.mark.parametrize("name", ["met", "several", "reached"])
def test_a_set_of_boxes_is_one_group_with_a_legend(empty, name):
    html = empty[name].as_field_group()
    fieldset = tags(html, "fieldset")[0]
    assert attribute(fieldset, "aria-labelledby") == f"id_{name}_legend"
    assert f'id="id_{name}_legend"' in tags(html, "legend")[0]


def test_only_required_fields_bear_an_asterisk(empty):
    for field in empty:
        assert ("ecare-asterisk" in field.as_field_group()) == field.field.required


def test_a_draft_may_leave_empty_a_field_marked_as_required():
    class Draft(forms.Form):
        iban = forms.CharField(required=False)
        iban.marked_required = True

    html = Draft()["iban"].as_field_group()
    assert "ecare-asterisk" in html
    assert 'aria-required="true"' in html
    assert " required" not in tags(html, "input")[0].replace("aria-required", "")


def test_attributes_of_the_widget_pass_through():
    class Described(forms.Form):
        town = forms.CharField(
            help_text="x",
            widget=forms.TextInput({"class": "fr-col-6", "aria-describedby": "note", "autocomplete": "address-level2"}),
        )

    tag = tags(Described()["town"].as_field_group(), "input")[0]
    assert attribute(tag, "class") == "fr-col-6 fr-input"
    assert attribute(tag, "aria-describedby") == "note id_town_helptext"
    assert attribute(tag, "autocomplete") == "address-level2"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("name", "Renseignez ce champ."),
        ("kind", "Choisissez une réponse dans la liste."),
        ("met", "Choisissez une réponse."),
        ("several", "Cochez au moins une case."),
        ("engaged", "Cochez cette case pour continuer."),
        ("file", "Choisissez un fichier."),
    ],
)
def test_an_empty_field_says_what_to_do(empty, name, sentence):
    assert list(empty[name].errors) == [sentence]


def test_a_wrong_answer_says_what_to_do():
    form = GalleryForm({"email": "camille", "born": "31/02/2026", "kind": "autre", "met": "peut-être"})
    assert list(form["email"].errors) == ["Écrivez une adresse e-mail sous la forme nom@exemple.fr."]
    assert list(form["born"].errors) == ["Écrivez une date sous la forme JJ/MM/AAAA."]
    assert list(form["kind"].errors) == list(form["met"].errors) == ["Choisissez une réponse de la liste."]


def test_a_sentence_that_a_form_wrote_is_kept():
    class Own(forms.Form):
        a = forms.CharField(error_messages={"required": "Donnez votre nom d’usage."})
        b = forms.CharField(required=False)

        def clean_b(self):
            raise forms.ValidationError("Ce nom est déjà pris.")

    form = Own({})
    assert list(form["a"].errors) == ["Donnez votre nom d’usage."]
    assert list(form["b"].errors) == ["Ce nom est déjà pris."]


def test_an_error_is_escaped():
    class Own(forms.Form):
        a = forms.CharField(required=False, label="<b>A</b>", help_text="<i>h</i>")

        def clean_a(self):
            raise forms.ValidationError("<script>alert(1)</script>")

    html = Own({})["a"].as_field_group()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html


def test_the_summary_leads_to_each_control(empty):
    html = empty.render()
    for field in empty:
        assert f'id="{field.focus_id}"' in html
    assert empty["met"].focus_id == "id_met_0"


def test_choices_are_offered_in_their_order(empty):
    html = empty["several"].as_field_group()
    assert [attribute(tag, "value") for tag in tags(html, "input")] == [value for value, _ in CHOICES]
