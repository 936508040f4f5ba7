"""What still stands open on a dossier when an agent is about to let it go on, each point with the place to read it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from applications.models import Application
from applications.notes import is_warning
from applications.rules import is_answered
from evidence.models import PatientDataReport
from evidence.states import Scan
from reviews import readers
from reviews.models import FileVerdict

UNREAD: dict[str, str] = {
    Scan.PENDING: "n’a pas encore été analysé par l’antivirus : personne ne l’a lu.",
    Scan.INFECTED: "est infecté et en quarantaine : l’établissement ne l’a pas encore remplacé.",
    Scan.FAILED: "n’a pas pu être analysé par l’antivirus : personne ne l’a lu.",
}


@dataclass(frozen=True)
class Concern:
    said: str
    link: str


def concerns(application: Application, *, user) -> list[Concern]:
    """Of the present step as last sent, then of the dossier; empty when nothing is left to check."""
    entities = list(application.establishment.entities())
    requests = readers.change_requests(application)
    found = readers.readings(application, entities, requests, user=user)
    present = next((reading for reading in found if reading.step == application.step), None)
    refused = _refused(application)
    said = _of_the_step(application, present, entities, refused) if present else []
    return [*said, *_of_the_dossier(application)]


def _refused(application: Application) -> dict[str, FileVerdict]:
    """By the id of the file, of either desk: that of the ANS where both refused."""
    verdicts = application.verdicts.filter(decision=FileVerdict.Decision.REFUSED).select_related("by")
    return {str(verdict.file_id): verdict for verdict in verdicts.order_by("-desk")}


def _of_the_step(application, reading, entities, refused) -> Iterator[Concern]:
    dossier = reverse("reviews:dossier", args=[application.reference])
    pieces = reverse("reviews:pieces", args=[application.reference])
    numbers = frozenset(entity.finess for entity in entities)
    for line in (line for chapter in reading.chapters for line in chapter.lines):
        question, place = line.row.question, f"{dossier}#{reading.step}-{line.row.question.key}"
        if question.is_required and not is_answered(question, line.row.value, numbers):
            yield Concern(f"{question.label}\u00a0: question obligatoire sans réponse complète.", place)
        for file in line.files:
            if file.scan in UNREAD:
                yield Concern(f"{question.label}\u00a0: «\u00a0{file.name}\u00a0» {UNREAD[file.scan]}", place)
            elif file.is_lost:
                why = f" ({file.remark.rstrip('.')})" if file.remark else ""
                yield Concern(f"{question.label}\u00a0: «\u00a0{file.name}\u00a0» ne peut pas être lu{why}.", place)
            if verdict := refused.get(file.id):
                who = f"{verdict.by} ({verdict.get_desk_display()})"
                said = f"«\u00a0{file.name}\u00a0» a été refusé par {who}\u00a0: {verdict.remark}"
                yield Concern(f"{question.label}\u00a0: {said}", f"{pieces}#piece-{file.id}")
        if line.asked and not line.is_changed:
            yield Concern(f"{question.label}\u00a0: modification demandée et non faite.", place)
        if is_warning(line.row.note):
            yield Concern(f"{question.label}\u00a0: {line.row.note}", place)


def _of_the_dossier(application: Application) -> Iterator[Concern]:
    dossier = reverse("reviews:dossier", args=[application.reference])
    if application.bank_details.open().exists():
        yield Concern("Un changement de coordonnées bancaires attend la décision de l’ANS.", f"{dossier}#banque")
    if PatientDataReport.objects.open().filter(evidence__application=application).exists():
        said = "Un fichier est signalé\u00a0: il contiendrait des données de patients. L’ANS n’a pas encore décidé."
        yield Concern(said, reverse("evidence:reports"))
    for opinion in application.opinions.open().select_related("of"):
        yield Concern(f"L’avis demandé à {opinion.of} n’est pas encore donné.", f"{dossier}#avis")
    if application.establishment.closed_on:
        yield Concern("L’établissement est fermé dans le répertoire FINESS.", f"{dossier}#etablissement")
