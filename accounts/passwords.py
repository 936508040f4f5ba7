"""The words that French people choose first, which Django's list of common passwords does not know."""

import re

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


class FrenchWordsValidator:
    """Refuses a password whose letters are only such words: « Motdepasse-2026! », « hopital.paris.75 »."""

    def validate(self, password, user=None):
        letters = re.sub(r"[^a-z]+", " ", normalised(password)).split()
        if letters and all(_is_made_of_words(part) for part in letters):
            raise ValidationError("Ce mot de passe est trop courant. Mélangez des mots sans rapport entre eux.")

    def get_help_text(self):
        return "Évitez les mots de passe courants."


def _is_made_of_words(letters: str) -> bool:
    reachable = {0}
    for end in range(1, len(letters) + 1):
        if any(letters[start:end] in WORDS for start in reachable):
            reachable.add(end)
    return len(letters) in reachable
