"""What a new password must be, told rule by rule; and the words that French people choose first, which Django's list of
common passwords does not know."""

import re
from dataclasses import dataclass
from itertools import groupby

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    UserAttributeSimilarityValidator,
    get_default_password_validators,
)
from django.core.exceptions import ValidationError

from establishments.models import normalised

WORDS = frozenset(
    """amour anniversaire azerty azertyuiop bienvenue bonjour bordeaux care changeme changezmoi chaton chien chocolat
    chouchou clinique convergence coucou cyber cybersecurite direction doudou ecare famille football france ght hopital
    informatique jetaime jtm lille loulou lyon maison marseille merci montpellier mot motdepasse nantes nicolas
    paris passe password plateforme princesse printemps provisoire qwerty rennes sante secret secure securite soleil
    strasbourg toulouse vacances ete automne hiver de le la les mon ma mes chu ch dsi rssi admin administrateur
    utilisateur compte test""".split()
)

COMMON = "Ce mot de passe est trop courant. Mélangez des mots sans rapport entre eux."
NOT_THE_PRESENT_ONE = (
    "Ce n’est pas votre mot de passe actuel. Tapez-le à nouveau, ou passez par « Mot de passe oublié ? »."
)


class CommonWordsValidator(CommonPasswordValidator):
    """Refuses what Django's list knows, and a password whose letters are only such words: « Motdepasse-2026! »,
    « hopital.paris.75 »; in one sentence."""

    def validate(self, password, user=None):
        try:
            super().validate(password, user)
        except ValidationError:
            raise ValidationError(COMMON) from None
        letters = re.sub(r"[^a-z]+", " ", normalised(password)).split()
        if letters and all(_is_made_of_words(part) for part in letters):
            raise ValidationError(COMMON)

    def get_help_text(self):
        return "Évitez les mots de passe courants."


def _is_made_of_words(letters: str) -> bool:
    reachable = {0}
    for end in range(1, len(letters) + 1):
        if any(letters[start:end] in WORDS for start in reachable):
            reachable.add(end)
    return len(letters) in reachable


# The validators of the settings, said to the person; those that say the same are one rule.
SAID = {
    "MinimumLengthValidator": "au moins {length} caractères",
    "NumericPasswordValidator": "pas seulement des chiffres",
    "UserAttributeSimilarityValidator": "sans votre nom, votre prénom, votre nom d’utilisateur ni votre adresse e-mail",
    "CommonWordsValidator": "pas un mot de passe courant",
}
GOOD_LENGTH, BEST_LENGTH = 16, 20


@dataclass(frozen=True)
class Rule:
    text: str
    is_met: bool | None  # None: not known yet


def _by_rule():
    """Each rule and its validators: the very ones that decide when the form is sent."""

    def said(validator) -> str:
        return SAID[type(validator).__name__].format(length=getattr(validator, "min_length", ""))

    order = list(SAID)
    validators = sorted(get_default_password_validators(), key=lambda one: order.index(type(one).__name__))
    return [(text, list(group)) for text, group in groupby(validators, key=said)]


def rules() -> list[str]:
    return [text for text, _ in _by_rule()]


def judged(password: str, person) -> list[Rule]:
    """Which rules this password follows. Of somebody unknown (None) nobody tells whether their name is in it."""
    return [Rule(text, _met(group, password, person)) for text, group in _by_rule()]


def _met(validators, password: str, person) -> bool | None:
    if person is None and any(isinstance(one, UserAttributeSimilarityValidator) for one in validators):
        return None
    return all(_accepts(one, password, person) for one in validators)


def _accepts(validator, password: str, person) -> bool:
    try:
        validator.validate(password, person)
    except ValidationError:
        return False
    return True


def verdict(password: str, told: list[Rule]) -> str:
    """Rules first, then length, which makes a password strong; nothing more is promised."""
    if any(rule.is_met is False for rule in told):
        missing = _least_length() - len(password)
        if missing > 0:
            return f"Trop court : encore {missing} caractère{'s' if missing > 1 else ''}."
        return "Pas encore accepté : une règle n’est pas suivie."
    if len(password) >= BEST_LENGTH:
        return "Très solide."
    return "Solide." if len(password) >= GOOD_LENGTH else "Accepté. Plus long, il serait plus solide."


def _least_length() -> int:
    return next(one.min_length for one in get_default_password_validators() if hasattr(one, "min_length"))
