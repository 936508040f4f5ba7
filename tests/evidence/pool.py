"""Containers for the tests: batches as the ANS makes them, and dossiers that ask for one."""

import io
import zipfile

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from demo.ole import zed_bytes
from evidence import containers
from evidence.containers import NewContainer
from evidence.models import Container
from tests.evidence.conftest import dossier_with, space_of

OBJECTIVE = "D1.O1"
SECRET = "eCaRETestZ3D@"
USERNAME = "conteneur-zed-essai"
REASON = "Le mot de passe a été égaré."
SPACE = {"key": "preuves", "formats": ["zed"], "container": OBJECTIVE, "label": "Preuves", "max_megabytes": 5}


def zed(rank: object) -> bytes:
    """A container unlike any other."""
    return zed_bytes(content=f"conteneur {rank} ".encode())


def dossier_that_asks(**fields):
    return dossier_with(SPACE, **fields)


def fill_pool(application, count: int = 1, *, objective: str = OBJECTIVE) -> list[Container]:
    first = Container.objects.count()
    batch = [
        NewContainer(
            SimpleUploadedFile(f"conteneur-{rank}.zed", zed(rank)),
            application.domain,
            objective,
            f"{USERNAME}-{rank}",
            f"{SECRET}-{rank}",
        )
        for rank in range(first + 1, first + count + 1)
    ]
    containers.load(batch, by=None, at=timezone.now())
    return list(Container.objects.order_by("pk"))[first:]


def draw(application, *, by=None):
    space = space_of(application, SPACE["key"])
    return containers.draw(application, space, by=by or application.referent, at=timezone.now())


def activate(application, container):
    space = space_of(application, SPACE["key"])
    return containers.activate(
        application, space, shown=str(container.file_id), by=application.referent, at=timezone.now()
    )


def reissue(application, container, reason: str = REASON):
    space = space_of(application, SPACE["key"])
    return containers.reissue(
        application,
        space,
        shown=str(container.file_id),
        reason=reason,
        by=application.referent,
        at=timezone.now(),
    )


def zipped(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()
