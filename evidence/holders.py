"""Where a file of a dossier stands that is in no space of its forms. Rooms above name their own (`apps.py`)."""

HOLDERS = {"bank_details": "RIB d’un changement de compte"}
"""The relation that leads from such a file to a row with its `application`, and what the file is called."""


def may_hold(relation: str, label: str) -> None:
    """A room above says where it keeps files."""
    HOLDERS[relation] = label
