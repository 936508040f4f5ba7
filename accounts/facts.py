"""What is shown of a person and of their establishment: pairs (label, value), in the order of the guide."""

from accounts import phones
from accounts.models import Civility


def of_person(person) -> list[tuple[str, str]]:
    """`person` is a User, or what somebody who registers said of themselves."""
    number = phones.parsed(str(person.phone)) if person.phone else None
    return [
        ("Nom d’utilisateur", person.username),
        ("Civilité", Civility(person.civility).label if person.civility else ""),
        ("Nom", person.last_name),
        ("Prénom", person.first_name),
        ("Numéro de téléphone", number.as_international if number else ""),
        ("Adresse e-mail", person.email),
    ]


def of_colleague(person) -> list[tuple[str, str]]:
    """What colleagues may know of each other: anybody may register for any establishment, so no address."""
    return of_person(person)[1:4]


_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def of_browser(user_agent: str) -> str:
    """« Firefox sous Windows »: the family of a browser, and nothing that tells one computer from another."""
    browser = next((name for mark, name in _BROWSERS.items() if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    return " sous ".join(filter(None, [browser, system]))


def of_establishment(establishment) -> list[tuple[str, str]]:
    entity = establishment.legal_entity
    support = " de l’établissement support" if establishment.ght_id else ""
    return [
        ("Type d’établissement", establishment.get_kind_display()),
        ("Région", establishment.region.name),
        ("Circonscription", establishment.region.ars.removeprefix("ARS ")),
        ("Code GHT", establishment.ght.code if establishment.ght_id else ""),
        ("Intitulé du GHT", establishment.ght.name if establishment.ght_id else ""),
        (f"SIREN{support}", entity.siren),
        (f"FINESS EJ{support}", entity.finess),
        (f"Raison sociale{support}", entity.name),
    ]
