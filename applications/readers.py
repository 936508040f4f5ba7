"""Domains and their forms as people write them (`fixtures/domaines/*.yaml`), read and checked.

Nothing is written here: `applications.definitions` brings the database in step. Each error names the file and the
place, as « domaine-1.yaml, forms → candidature → sections 2 → questions 4 (iban) : … ».
"""

import re
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import NoReturn

import yaml
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from applications.definitions import (
    CALENDAR,
    DomainDefinition,
    FormDefinition,
    QuestionDefinition,
    SectionDefinition,
)
from applications.form_faults import (
    CONTACT_FIELDS,
    KIND_OF_CONTACT_FIELD,
    MOST_FILES,
    MOST_MEGABYTES,
    WITH_CHOICES,
)
from applications.models import Domain, Question, Section
from applications.rules import KIND
from applications.states import Step
from establishments.models import Establishment

DEFAULT_FORMATS = ["pdf"]
LIMITS = ("formats", "max_megabytes", "max_files")


class DefinitionError(Exception):
    """A definition that cannot be read; the message names the file and the place."""


@dataclass(frozen=True)
class _Place:
    """Where in which file; `fail` says it."""

    file: str
    path: tuple[str, ...] = ()

    def at(self, *steps) -> "_Place":
        return _Place(self.file, (*self.path, *(str(step) for step in steps)))

    def fail(self, message: str) -> NoReturn:
        where = " → ".join(self.path)
        raise DefinitionError(f"{self.file}{', ' if where else ''}{where} : {message}")

    def mapping(self, value, *, known, needed=()) -> dict:
        if not isinstance(value, dict):
            self.fail("des rubriques « nom: valeur » sont attendues.")
        for name in value:
            if name not in known:
                self.fail(f"rubrique « {name} » inconnue ; connues : {', '.join(known)}.")
        for name in needed:
            if value.get(name) in (None, "", [], {}):
                self.fail(f"la rubrique « {name} » manque.")
        return value

    def typed(self, mapping: dict, name: str, kind: type, default):
        value = mapping.get(name, default)
        if value is None and name in mapping:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.at(name).fail(f"{_KIND_NAMES[kind]} est attendu, et non « {value} ».")
        return value.strip() if isinstance(value, str) else value


_KIND_NAMES = {
    str: "un texte",
    int: "un nombre entier",
    bool: "yes ou no",
    list: "une liste",
    dict: "un ensemble",
    date: "une date",
}


def read_folder(folder: Path) -> list[DomainDefinition]:
    """Every definition of a folder, `forms: like` resolved, in the order of their rank. Raises DefinitionError."""
    files = sorted(Path(folder).glob("*.yaml"))
    if not files:
        raise DefinitionError(f"{folder} : aucun fichier .yaml.")
    found: dict[str, tuple[_Place, DomainDefinition]] = {}
    contents = {file: _content(file) for file in files}
    lent = _lent(contents.values())
    for file, content in contents.items():
        place, definition = _Place(file.name), _domain(_Place(file.name), content, lent)
        if definition.slug in found:
            place.at("slug").fail(f"« {definition.slug} » est déjà défini dans {found[definition.slug][0].file}.")
        found[definition.slug] = (place, definition)
    for place, definition in found.values():
        if definition.like:
            model = found.get(definition.like)
            if model is None or model[1].like:
                place.at("forms", "like").fail(
                    f"« {definition.like} » ne désigne pas un domaine qui définit ses formulaires."
                )
            definition.forms = model[1].forms
    return sorted((definition for _, definition in found.values()), key=lambda d: (d.position, d.slug))


def read_domain(file: Path) -> DomainDefinition:
    """One definition by itself, which borrows from no other."""
    return _domain(_Place(file.name), _content(file), {})


def _content(file: Path):
    place = _Place(file.name)
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        place.fail("le fichier n’est pas en UTF-8.")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" ligne {mark.line + 1}, colonne {mark.column + 1}" if mark else ""
        place.fail(f"le YAML ne se lit pas{line} ({getattr(error, 'problem', None) or error}).")


def _lent(contents) -> dict[str, dict]:
    """The sections that other forms may take over, by « domain/step/key »; misshapen ones are told where they stand."""
    lent = {}
    for content in contents:
        forms = content.get("forms") if isinstance(content, dict) else None
        for step, form in forms.items() if isinstance(forms, dict) else ():
            sections = form.get("sections") if isinstance(form, dict) else None
            for section in sections if isinstance(sections, list) else ():
                if isinstance(section, dict) and "key" in section:
                    lent[f"{content.get('slug')}/{step}/{section['key']}"] = section
    return lent


def _domain(place, content, lent: dict[str, dict]) -> DomainDefinition:
    known = [f.name for f in fields(DomainDefinition) if f.name not in ("envelope", "like")] + ["envelope_euros"]
    content = place.mapping(content, known=known, needed=["slug", "name", "kinds", "forms"])
    definition = DomainDefinition(
        slug=_slug(place, content["slug"], "slug"),
        name=_text(place, content, "name", Domain),
        position=place.typed(content, "position", int, 0),
        summary=place.typed(content, "summary", str, ""),
        more_url=_url(place, content, "more_url"),
        guide_url=_url(place, content, "guide_url"),
        kinds=_kinds(place, content["kinds"]),
        envelope=place.typed(content, "envelope_euros", int, 0) * 100,
        is_trial=place.typed(content, "is_trial", bool, False),
        calendar=_calendar(place.at("calendar"), content.get("calendar") or {}),
    )
    if definition.envelope < 0:
        place.at("envelope_euros").fail("un montant positif est attendu.")
    forms = place.at("forms").mapping(content["forms"], known=["like", *Step.values])
    if "like" in forms:
        definition.like = place.at("forms").typed(forms, "like", str, "")
    else:
        for step in Step.values:
            if step not in forms:
                place.at("forms").fail(f"l’étape « {step} » manque.")
            definition.forms[step] = _form(place.at("forms", step), forms[step], lent)
    return definition


def _text(place, mapping, name, model) -> str:
    value = place.typed(mapping, name, str, "")
    longest = model._meta.get_field(name).max_length
    if longest and len(value) > longest:
        place.at(name).fail(f"{len(value)} caractères, {longest} au plus.")
    return value


def _slug(place, value, name) -> str:
    if (
        not isinstance(value, str)
        or not value
        or len(value) > 50
        or set(value) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
    ):
        place.at(name).fail(f"« {value} » : des minuscules, des chiffres et des traits d’union, 50 au plus.")
    return value


def _url(place, mapping, name) -> str:
    value = place.typed(mapping, name, str, "")
    try:
        if value:
            URLValidator(schemes=["https"])(value)
    except ValidationError:
        place.at(name).fail(f"« {value} » n’est pas une adresse https.")
    return value


def _kinds(place, value) -> list[str]:
    if not isinstance(value, list) or not all(kind in Establishment.Kind.values for kind in value):
        place.at("kinds").fail(f"une liste prise parmi {', '.join(Establishment.Kind.values)} est attendue.")
    return value


def _calendar(place, value) -> dict[str, date | None]:
    place.mapping(value, known=CALENDAR)
    days = {name: place.typed(value, name, date, None) if value.get(name) is not None else None for name in CALENDAR}
    for first, last in (
        ("candidature_from", "candidature_until"),
        ("candidature_from", "candidature_first_submission_until"),
        ("declaration_from", "declaration_until"),
    ):
        if (start := days[first]) and (end := days[last]) and end < start:
            place.at(last).fail(f"cette date précède « {first} ».")
    if days["candidature_until"] and not days["candidature_from"]:
        place.at("candidature_from").fail("cette date manque.")
    return days


def _form(place, value, lent: dict[str, dict]) -> FormDefinition:
    value = place.mapping(value, known=["reminder", "sections"], needed=["sections"])
    form = FormDefinition(place.typed(value, "reminder", str, ""))
    asked: dict[str, QuestionDefinition] = {}
    for rank, section in enumerate(place.typed(value, "sections", list, []), start=1):
        here = place.at(f"sections {rank}")
        form.sections.append(_section(here, _borrowed(here, section, lent), asked))
    return form


def _borrowed(place, section, lent: dict[str, dict]):
    """`like: domaine-1/candidature/dsi` is the section of that key, word for word."""
    if not isinstance(section, dict) or "like" not in section:
        return section
    name = place.typed(place.mapping(section, known=["like"]), "like", str, "")
    if name not in lent:
        place.at("like").fail(f"« {name} » ne désigne pas une section : « domaine/étape/clé » est attendu.")
    return lent[name]


def _section(place, value, asked) -> SectionDefinition:
    value = place.mapping(value, known=["key", "title", "introduction", "questions"], needed=["title", "questions"])
    section = SectionDefinition(_text(place, value, "title", Section), place.typed(value, "introduction", str, ""))
    for rank, question in enumerate(place.typed(value, "questions", list, []), start=1):
        here = place.at(f"questions {rank}")
        definition = _question(here, question)
        here = place.at(f"questions {rank} ({definition.key})")
        if definition.key in asked:
            here.at("key").fail(f"« {definition.key} » est déjà la clé d’une autre question de ce formulaire.")
        if definition.container and definition.container in {other.container for other in asked.values()}:
            here.at("container").fail(f"« {definition.container} » a déjà un espace dans ce formulaire.")
        if definition.objective and definition.objective in {other.objective for other in asked.values()}:
            here.at("objective").fail(f"« {definition.objective} » est déjà attesté par une autre question.")
        _check_condition(here.at("shown_if"), definition, asked)
        asked[definition.key] = definition
        section.questions.append(definition)
    return section


MORE = ("container", "objective", "activity_share")
QUESTION = ("key", "kind", "label", "help", "box", "required", "choices", "shown_if", "contact", *LIMITS, *MORE)


def _question(place, value) -> QuestionDefinition:
    value = place.mapping(value, known=QUESTION, needed=["key", "kind", "label"])
    key = _slug(place, value["key"], "key")
    place = _Place(place.file, (*place.path[:-1], f"{place.path[-1]} ({key})"))
    kind = value["kind"]
    if kind not in Question.Kind.values:
        place.at("kind").fail(f"« {kind} » inconnu ; connus : {', '.join(Question.Kind.values)}.")
    question = QuestionDefinition(
        key=key,
        kind=kind,
        label=_text(place, value, "label", Question),
        help=place.typed(value, "help", str, ""),
        checkbox_label=_box(place, value),
        is_required=place.typed(value, "required", bool, True),
        shown_if=_conditions(place.at("shown_if"), value.get("shown_if") or {}),
        choices=_choices(place.at("choices"), value),
    )
    question.contact_role, question.contact_field = _contact(place.at("contact"), value)
    _space(place, value, question)
    question.container = _container(place.at("container"), value, question)
    question.objective = _objective(place.at("objective"), value, question)
    question.activity_share = _activity_share(place.at("activity_share"), value.get("activity_share"), question)
    return question


def _box(place, value) -> str:
    box = place.typed(value, "box", str, "")
    if bool(box) != (value["kind"] == Question.Kind.CHECKBOX):
        place.at("box").fail("une case à cocher, et elle seule, porte un texte « box ».")
    if len(box) > Question._meta.get_field("checkbox_label").max_length:  # type: ignore[operator]
        place.at("box").fail(f"{len(box)} caractères, 400 au plus.")
    return box


def _choices(place, value) -> list[list[str]]:
    choices = value.get("choices")
    if value["kind"] not in WITH_CHOICES:
        if choices:
            place.fail("seules les questions « choice » et « choices » ont des choix.")
        return []
    if not isinstance(choices, dict) or len(choices) < 2:
        place.fail("deux choix au moins sont attendus, « valeur: Libellé ».")
    for code, label in choices.items():
        if not isinstance(code, str) or not isinstance(label, str):
            place.fail(f"« {code}: {label} » : la valeur et le libellé sont des textes (entre guillemets si besoin).")
    return [[code, label] for code, label in choices.items()]


def _conditions(place, value) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        place.fail("« clé: [valeur, …] » est attendu.")
    for key, accepted in value.items():
        if not isinstance(accepted, list) or not accepted:
            place.fail(f"« {key} » : une liste de valeurs est attendue.")
    return value


def _check_condition(place, question, asked) -> None:
    for key, accepted in question.shown_if.items():
        other = asked.get(key)
        if key == KIND:
            possible: list = Establishment.Kind.values
        elif other is None:
            place.fail(f"« {key} » n’est pas la clé d’une question posée avant celle-ci.")
        elif other.kind == Question.Kind.CHECKBOX:
            possible = [True, False]
        elif other.kind == Question.Kind.CHOICE:
            possible = [code for code, _ in other.choices]
        else:
            place.fail(f"« {key} » n’est ni un choix unique ni une case à cocher.")
        for one in accepted:
            if one not in possible:
                place.fail(f"« {one} » n’est pas une réponse possible à « {key} ».")


def _contact(place, value) -> tuple[str, str]:
    text = value.get("contact")
    if text is None:
        return "", ""
    role, _, name = str(text).partition(".")
    if role not in Question.ContactRole.values or name not in CONTACT_FIELDS:
        roles, names = ", ".join(Question.ContactRole.values), ", ".join(CONTACT_FIELDS)
        place.fail(f"« {text} » : rôle.champ est attendu, rôle parmi {roles}, champ parmi {names}.")
    if value["kind"] != KIND_OF_CONTACT_FIELD.get(name, "text"):
        place.fail(f"« {text} » demande une question « {KIND_OF_CONTACT_FIELD.get(name, 'text')} ».")
    return role, name


def _space(place, value, question) -> None:
    """Limits of an evidence space; 10 files of 10 Mo, in pdf, unless said."""
    limits = [name for name in LIMITS if name in value]
    if question.kind != Question.Kind.EVIDENCE:
        if limits:
            place.at(limits[0]).fail("seul un espace de dépôt (« evidence ») a des limites.")
        return
    question.formats = place.typed(value, "formats", list, DEFAULT_FORMATS)
    if not question.formats or not all(isinstance(f, str) and f.isalnum() and f == f.lower() for f in question.formats):
        place.at("formats").fail("des extensions en minuscules et sans point sont attendues : [pdf, docx].")
    for name, most in (("max_megabytes", MOST_MEGABYTES), ("max_files", MOST_FILES)):
        number = place.typed(value, name, int, 10)
        if not 1 <= number <= most:
            place.at(name).fail(f"un nombre de 1 à {most} est attendu.")
        setattr(question, name, number)


def _container(place, value, question) -> str:
    """The objective whose ZED container a space hands out."""
    objective = place.typed({"container": value.get("container", "")}, "container", str, "")
    if objective and (question.kind != Question.Kind.EVIDENCE or "zed" not in question.formats):
        place.fail("seul un espace de dépôt qui accepte le format zed remet un conteneur.")
    if not re.fullmatch(r"[A-Z0-9.-]{0,20}", objective):
        place.fail(f"« {objective} » : 20 capitales, chiffres, points ou traits d’union au plus (D1.O1).")
    return objective


def _objective(place, value, question) -> str:
    """The objective that a box attests, which the ANS validates or not."""
    objective = place.typed({"objective": value.get("objective", "")}, "objective", str, "")
    if objective and question.kind != Question.Kind.CHECKBOX:
        place.fail("seule une case à cocher (« checkbox ») atteste un objectif.")
    if not re.fullmatch(r"[A-Z0-9.-]{0,20}", objective):
        place.fail(f"« {objective} » : 20 capitales, chiffres, points ou traits d’union au plus (D1.O1.A).")
    return objective


def _activity_share(place, share, question) -> int | None:
    """Percentage of the combined activity that the confirmed entities of a checklist make."""
    if share is not None and question.kind != Question.Kind.CHECKLIST:
        place.fail("seule une liste d’entités (« checklist ») demande une part de l’activité.")
    if share is not None and (not isinstance(share, int) or not 1 <= share <= 100):
        place.fail("un nombre de 1 à 100 est attendu.")
    return share
