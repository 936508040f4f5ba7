"""Why a file may not enter."""


class Refused(Exception):
    """The message is for the screen: what is wrong with the file, and how to put it right."""


def damaged() -> Refused:
    return Refused(
        "Ce fichier est incomplet ou abîmé. "
        "Ouvrez-le sur votre ordinateur, enregistrez-le à nouveau, puis déposez cette nouvelle version."
    )


def locked() -> Refused:
    return Refused(
        "Ce fichier est protégé par un mot de passe : les vérificateurs ne pourraient pas l’ouvrir. "
        "Retirez le mot de passe, puis déposez le fichier à nouveau."
    )


def with_macros() -> Refused:
    return Refused(
        "Ce fichier contient des macros, qui ne sont pas acceptées. "
        "Enregistrez-le sans macros ou en PDF si ce format est autorisé, puis déposez cette nouvelle version."
    )


def archive_bomb() -> Refused:
    return Refused(
        "Ce fichier prendrait une place anormale une fois décompressé, il n’est donc pas accepté. "
        "Recréez-le à partir des documents d’origine ou déposez ces documents un par un."
    )


def odd_archive() -> Refused:
    return Refused(
        "La structure compressée de ce fichier n’est pas celle d’un fichier ordinaire, il n’est donc pas accepté. "
        "Recréez-le avec le logiciel d’origine, puis déposez cette nouvelle version."
    )


def two_in_one() -> Refused:
    return Refused(
        "Ce fichier en cache un second, d’un autre format, il n’est donc pas accepté. "
        "Enregistrez-le à nouveau avec le logiciel d’origine, puis déposez cette nouvelle version."
    )
