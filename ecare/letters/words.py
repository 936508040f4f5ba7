"""The places of a letter, in French: what an administrator writes for what the file of the letter computes.

« {{ numéro du dossier }} » stands for `{{ application.reference }}`, « {{ si déclaration }} … {{ sinon }} … {{ fin }} »
for a passage that the file makes conditional, « [Libellé]({{ adresse de la page }}) » for a button. A text may hold
only what the file of that very letter holds: nothing else is ever computed for it (ADR 25).
"""

import re
from collections.abc import Iterator

from django.utils.html import escape

PLACE = re.compile(r"\{\{\s*([^{}%#]*?)\s*\}\}")
_TOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ADDRESS = re.compile(r"\]\(([^)\n]+)\)")
_BRACE = re.compile(r"[{}]")
_IN_ADDRESS = re.compile(r"\]\([^)\n]*$")
_SITE = "{{ site_address }}"

ADDRESSES = {
    _SITE + "{{ path }}": "adresse de la page",
    _SITE + "{{ receipt_path }}": "adresse de l’accusé de réception",
    _SITE + "{{ oldest_path }}": "adresse du plus ancien dossier",
    _SITE + '{% url "account_login" %}': "adresse de connexion",
    _SITE + '{% url "account_reset_password" %}': "adresse de mot de passe oublié",
    _SITE + '{% url "accounts:account" %}': "adresse de votre compte",
    _SITE + '{% url "accounts:register" %}': "adresse d’inscription",
    _SITE + '{% url "accounts:letters" %}': "adresse du choix des courriers",
    _SITE + '{% url "accounts:second_factor" %}': "adresse de la double authentification",
    _SITE + '{% url "accounts:enrol" %}': "adresse d’activation de la double authentification",
    _SITE + "/activation/{{ secret }}/": "lien personnel d’activation",
    _SITE + "/invitation/{{ secret }}/": "lien personnel d’invitation",
    _SITE + "/mot-de-passe/nouveau/{{ secret }}/": "lien personnel de mot de passe",
    _SITE + "/compte/adresse/confirmer/{{ secret }}/": "lien personnel de confirmation",
    _SITE + "/compte/adresse/arreter/{{ secret }}/": "lien personnel d’opposition",
    "{{ letter.link }}": "adresse du courrier réuni",
}
VALUES = {
    "application.reference": "numéro du dossier",
    "application.domain": "domaine",
    "application.domain.declaration_until|paris_date": "fin des déclarations",
    "application.establishment": "établissement",
    "application.establishment.name": "nom de l’établissement",
    "application.establishment.identity": "établissement et FINESS",
    "application.establishment.region.ars": "ARS",
    "application.get_state_display": "état du dossier",
    "application.reviewer_label": "état pour l’agent",
    "application.referent": "référent",
    "application.referent.get_civility_display": "civilité du référent",
    "person.get_civility_display": "civilité",
    "person.last_name": "nom",
    "person.username": "nom d’utilisateur",
    "person.email": "adresse e-mail",
    "support_address": "adresse du support",
    "anchor.day|paris_date": "jour du relevé",
    "anchor.at|paris_datetime": "instant du relevé",
    "anchor.chains": "nombre de chaînes",
    "anchor.entries": "nombre d’écritures",
    "anchor.digest": "empreinte du relevé",
    "anchor.signature": "signature du relevé",
    "reason": "motif",
    "together": "questions sur le compte bancaire",
    "asked.by": "demandeur",
    "asked.by.get_civility_display": "civilité du demandeur",
    "asked.reason": "raison de la demande",
    "asked.message": "motif de la décision",
    "establishment": "établissement concerné",
    "establishment.name": "nom de l’établissement concerné",
    "establishment.finess": "FINESS de l’établissement concerné",
    "establishment.region": "région de l’établissement concerné",
    "establishment.closed_on|paris_date": "jour de fermeture",
    "former": "ancienne valeur",
    "former.finess": "FINESS de l’ancien établissement",
    "former.name": "nom du fichier remplacé",
    "file.name": "nom du fichier",
    "file.sha256": "empreinte du fichier",
    "file.scan_found": "ce que l’antivirus a trouvé",
    "objective": "objectif",
    "domain": "domaine concerné",
    "left": "nombre restant",
    "left|pluralize": "s s’il en reste plusieurs",
    "site_address": "adresse du site",
    "at|paris_datetime": "date et heure",
    "request.message": "message de la demande",
    "request.get_step_display": "étape de la demande",
    "request.at|paris_date": "jour de la demande",
    "due.day|paris_date": "dernier jour",
    "step": "étape",
    "progress.required": "questions obligatoires",
    "progress.remaining|length": "questions restantes",
    "progress.remaining|length|pluralize": "s si plusieurs restantes",
    'progress.remaining|length|add:"-8"': "questions restantes de plus",
    "question.label": "question restante",
    "contact.get_role_display": "fonction du contact",
    "contact.get_civility_display": "civilité du contact",
    "contact.first_name": "prénom du contact",
    "contact.last_name": "nom du contact",
    "contact.email": "adresse du contact",
    "code.reference": "référence du code",
    "code.sent_at|paris_datetime": "heure de la demande",
    "minutes": "minutes",
    "hours": "heures",
    "days": "jours",
    "secret": "code confidentiel",
    "change.email": "nouvelle adresse",
    "change.until|paris_datetime": "fin de validité",
    "correction.former": "adresse remplacée",
    "correction.until|paris_datetime": "fin du délai d’opposition",
    "newcomer.get_civility_display": "civilité du nouveau collègue",
    "newcomer.first_name": "prénom du nouveau collègue",
    "newcomer.last_name": "nom du nouveau collègue",
    "submission.get_step_display": "étape envoyée",
    "submission.number": "numéro de l’envoi",
    "submission.digest": "empreinte de l’envoi",
    "submission.at|paris_second": "heure de réception",
    "sender": "ancien référent",
    "sender.get_civility_display": "civilité de l’ancien référent",
    "giver": "agent qui attribue",
    "rows|length": "nombre de dossiers",
    "rows|length|pluralize": "s si plusieurs dossiers",
    "dossier.reference": "numéro de ce dossier",
    "dossier.domain": "domaine de ce dossier",
    "dossier.reviewer_label": "état de ce dossier",
    "letters|length": "nombre de courriers",
    "letters|length|pluralize": "s si plusieurs courriers",
    "letter.title": "objet du courrier réuni",
    "letter.words": "texte du courrier réuni",
    "line": "point de la liste",
    "amount|euros": "montant",
    "rule": "règle du montant",
    "paid_on|paris_date": "date du virement",
    "reference": "référence du virement",
    "threshold": "seuil",
    "domain.envelope|euros": "enveloppe",
    "consumption.percent": "part engagée",
    "consumption.over|euros": "dépassement",
    "consumption.left|euros": "reste de l’enveloppe",
    "consumption.committed|euros": "montant engagé",
    "consumption.validated|euros": "montant validé",
    "consumption.paid|euros": "montant versé",
    "export.created_at|paris_datetime": "heure de la demande d’export",
    "export.expires_at|paris_datetime": "fin de l’export",
    "export.get_kind_display": "nature de l’export",
    "export.label": "intitulé de l’export",
    "export.error": "raison de l’échec",
    "token.system": "système",
    "token.label": "intitulé du jeton",
    "token.prefix": "début du jeton",
    "token.expires_on|paris_date": "fin du jeton",
    "request.due_on|paris_date": "dernier jour pour répondre",
    "until|paris_date": "dernier jour de la déclaration",
    "application.convention_signed_on|paris_date": "jour de la signature",
    "application.domain.declaration_from|paris_date": "ouverture des déclarations",
    "copy.by": "déposant",
    "copy.by.get_civility_display": "civilité du déposant",
    "copy.at|paris_datetime": "heure du dépôt",
    "copy.file.name": "nom du fichier déposé",
    "copy.file.sha256": "empreinte du fichier déposé",
    "copy.message": "motif du refus de l’exemplaire",
    "refused.decided_at|paris_date": "jour du refus",
    "refused.message": "motif du refus précédent",
    "extension.establishment": "établissement prolongé",
    "extension.domain": "domaine prolongé",
    "extension.until|paris_date": "nouvelle date limite",
    "extension.get_step_display": "étape prolongée",
    "extension.reason": "motif de la prolongation",
    "extension.message": "motif du retrait",
    "report.by": "auteur du signalement",
    "report.reason": "ce qui a été vu",
    "report.message": "motif de la suite donnée",
    "report.evidence.file.sha256": "empreinte du fichier signalé",
    "opinion.asked_by": "agent qui demande l’avis",
    "opinion.of": "agent qui donne l’avis",
    "opinion.question": "question posée",
    "opinion.answer": "réponse donnée",
    "opinion.get_advice_display": "avis",
    "opinion.get_advice_display|lower": "avis en minuscules",
    "invitation.get_role_display": "rôle",
    "invitation.email": "adresse invitée",
    "invitation.until|paris_datetime": "fin de l’invitation",
    "subscription.system.name": "nom du système",
    "subscription.address": "adresse d’envoi du système",
    "region.name": "région",
    "region.ars": "ARS de la région",
    "late_count": "dossiers en retard",
    "late_more": "dossiers en retard de plus",
    "limit": "jours de délai",
    "desk.waiting|length": "dossiers sur le bureau",
    "desk.waiting|length|pluralize": "s si plusieurs sur le bureau",
    "desk.oldest.days": "jours du plus ancien",
    "desk.oldest.days|pluralize": "s si plusieurs jours",
    "desk.oldest.application.reference": "numéro du plus ancien",
    "desk.oldest.application.establishment": "établissement du plus ancien",
    "one.application.reference": "numéro du dossier en retard",
    "one.application.establishment": "établissement du dossier en retard",
    "one.application.reviewer_label": "état du dossier en retard",
    "one.days": "jours du dossier en retard",
    "count": "dossiers du domaine",
    "count|pluralize": "s si plusieurs dans le domaine",
}
PASSAGES = {
    "else": "sinon",
    "endif": "fin",
    "endfor": "fin de la liste",
    'if application.step == "declaration"': "si déclaration",
    'if application.state == "under_control"': "si le dossier revient à l’ANS",
    "if application.domain.declaration_until": "si les déclarations ont une fin",
    "if person == asked.by": "si demandeur",
    "if until": "si la déclaration a une fin",
    "if place.is_open": "si le fichier peut être remplacé",
    "if place.leaves_at_once": "si le nouveau fichier part aussitôt",
    "elif place.is_sent": "sinon si le fichier a été transmis",
    "if application.domain.declaration_from": "si les déclarations ont un premier jour",
    "if refused and refused.decided_at": "si un exemplaire a été refusé",
    "if application": "si un dossier existe",
    'elif extension.step == "candidature"': "sinon si candidature",
    "if person.is_referent": "si la personne est référente",
    "if application.is_editable": "si le formulaire est ouvert",
    "if person == application.referent": "si référent",
    "if due.is_correction": "si correction attendue",
    'if request.desk == "ans"': "si demandé par l’ANS",
    "if progress.is_complete": "si tout est rempli",
    "if progress.remaining|length > 8": "si plus de 8 questions restantes",
    "if left": "s’il en reste",
    "if left > 1": "s’il en reste plusieurs",
    "elif left": "sinon s’il en reste",
    "if rows|length > 1": "si plusieurs dossiers",
    "if letter.link": "si le courrier réuni a une page",
    "if not letter.link": "si le courrier réuni n’a pas de page",
    "for letter in letters": "pour chaque courrier réuni",
    "for dossier, path in rows": "pour chaque dossier",
    'for question in progress.remaining|slice:":8"': "pour chaque question restante, 8 au plus",
    'url "accounts:letters"': "chemin du choix des courriers",
    "if together": "si une question sur le compte bancaire est à modifier",
    "if reason": "s’il y a un motif",
    "if request.message": "si la demande a un message",
    "if request.due_on": "si une réponse est attendue pour un jour",
    "if asked": "si des points sont à modifier",
    "for line in asked": "pour chaque point à modifier",
    "for line in lines": "pour chaque dépense refusée",
    "if lines": "si des dépenses sont refusées",
    "if amount": "si le montant est connu",
    "if threshold == 100": "si tout est engagé",
    "if consumption.over": "si l’enveloppe est dépassée",
    "if opinion.answer": "si une réponse est donnée",
    "for region in regions": "pour chaque région",
    "if late_count": "si des dossiers sont en retard",
    "if late_more": "s’il y a d’autres retards",
    "if desk.waiting|length > 1": "si plusieurs sur le bureau",
    "if person.is_ars": "si agent d’une ARS",
    "for domain, count, path in domains": "pour chaque domaine",
    "for one, path in late": "pour chaque dossier en retard",
}
EVERYWHERE = "{{ support_address }}"
"""Known to every letter, whether its file says it or not."""
_FRENCH = (
    ADDRESSES
    | {f"{{{{ {value} }}}}": word for value, word in VALUES.items()}
    | {f"{{% {tag} %}}": word for tag, word in PASSAGES.items()}
)


class NoWord(Exception):
    """The file computes something that has no French word yet: its letter cannot be edited."""


class Fault(Exception):
    """What is wrong with a text, as a sentence for whoever wrote it."""


def in_french(source: str) -> str:
    """The file of a letter as an administrator reads it. Raises NoWord."""
    found = _ADDRESS.sub(lambda link: f"]({_word(_spaced(link[1]))})" if "{" in link[1] else link[0], source)
    return _TOKEN.sub(lambda token: token[0] if token[0] in _WORDS else _word(_spaced(token[0])), found)


def places(source: str) -> dict[str, str]:
    """What stands in the file of a letter, by its French word, in order. Raises NoWord."""
    found = {}
    for word in PLACE.findall(in_french(source)):
        found.setdefault(word, _CODE_OF[word])
    return found | {_FRENCH[EVERYWHERE]: EVERYWHERE}


def expanded(text: str, known: dict[str, str]) -> str:
    """A text with its places computed as the file would; all the rest is plain words. Raises Fault."""
    parts, end = [], 0
    for place in PLACE.finditer(text):
        parts += [_plain(text[end : place.start()]), _code(place, text, known)]
        end = place.end()
    return "".join([*parts, _plain(text[end:])])


def is_secret(word: str) -> bool:
    return "{{ secret }}" in _CODE_OF.get(word, "")


def is_address(word: str) -> bool:
    return _CODE_OF.get(word, "") in ADDRESSES


def depths(text: str) -> Iterator[tuple[str, int]]:
    """Each place, and how many conditional passages it stands in."""
    depth = 0
    for word in map(_typed, PLACE.findall(text)):
        code = _CODE_OF.get(word, "")
        if code.startswith(("{% endif", "{% endfor")):
            depth -= 1
        yield word, depth
        if code.startswith(("{% if", "{% for")):
            depth += 1


def _code(place: re.Match, text: str, known: dict[str, str]) -> str:
    word = _typed(place[1])
    if word not in known:
        listed = ", ".join(f"« {one} »" for one in known)
        raise Fault(f"« {{{{ {word} }}}} » n’est pas connu de ce courrier. Connus : {listed}.")
    is_target = text[: place.start()].endswith("](") and text[place.end() :].startswith(")")
    if is_address(word) and not is_target:
        raise Fault(f"« {word} » est l’adresse d’un bouton : écrivez [Libellé]({{{{ {word} }}}}).")
    if not is_address(word) and _IN_ADDRESS.search(text[: place.start()]):
        raise Fault(f"« {word} » n’est pas une adresse : un bouton mène à une adresse de ce courrier.")
    return known[word]


def _plain(words: str) -> str:
    if _BRACE.search(words):
        raise Fault("Une accolade est de trop : une place s’écrit {{ mot connu }}, et rien d’autre ne se calcule.")
    for address in _ADDRESS.findall(words):
        if not re.fullmatch(r"https://[^\s()]+", address):
            raise Fault(f"« {address} » : un bouton mène à une adresse https:// ou à une place de ce courrier.")
    return escape(words)


def _word(code: str) -> str:
    if code not in _FRENCH:
        raise NoWord(code)
    return f"{{{{ {_FRENCH[code]} }}}}"


def _typed(word: str) -> str:
    """However its spaces and its apostrophe were typed."""
    return " ".join(word.replace("'", "’").split())


def _spaced(code: str) -> str:
    """`{{x}}` and `{{  x }}` are the same."""
    return re.sub(r"\{([{%])\s*(.*?)\s*([%}])\}", r"{\1 \2 \3}", code, flags=re.DOTALL)


_CODE_OF = {word: code for code, word in _FRENCH.items()}
_WORDS = {f"{{{{ {word} }}}}" for word in _FRENCH.values()}
