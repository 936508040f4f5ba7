"""The copy that a person gets: for machines and for people, in one archive."""

import io
import json
import zipfile
from typing import Any

from privacy.readers import Row

ABOUT = """Vos données dans eCaRE

donnees.json : toutes les données, pour un autre logiciel (articles 15 et 20 du RGPD).
donnees.txt : les mêmes, à lire.

Les mots de passe et les codes ne s’y trouvent pas : le service n’en garde que des empreintes.
Les fichiers d’un dossier appartiennent à l’établissement : ils sont cités, et non joints.
"""


def archive(held: dict[str, list[Row]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("lisez-moi.txt", ABOUT)
        packed.writestr("donnees.json", json.dumps(held, ensure_ascii=False, indent=2, default=str))
        packed.writestr("donnees.txt", _readable(held))
    return out.getvalue()


def _readable(held: dict[str, list[Row]]) -> str:
    lines = []
    for name, rows in held.items():
        lines += [f"{name} ({len(rows)})", "=" * 60]
        for row in rows:
            lines += [f"{label}\u00a0: {_said(value)}" for label, value in row.items()]
            lines.append("")
    return "\n".join(lines)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
