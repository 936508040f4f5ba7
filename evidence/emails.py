"""The letters of the vault: one function each; the action saves what it returns. None carries a credential."""

from datetime import date

from django.urls import reverse

from accounts.models import User
from applications.models import Application, Domain, Question, Submission
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from evidence.holders import Place
from evidence.models import BankDetails, Container, Evidence, PatientDataReport, StoredFile


def container_reissued(container: Container, question: Question) -> Letter:
    application = container.application
    context = {
        "application": application,
        "person": application.referent,
        "objective": container.objective,
        "path": reverse("evidence:container", args=[application.reference, question.key]),
    }
    return compose("container_reissued", to=application.referent.email, subject=application.subject, context=context)


def bank_details_changed(asked: BankDetails, person: User) -> Letter:
    """To the référent, and to the agents of the ANS, who decide."""
    return _of_bank_details("bank_details_changed", asked, person)


def bank_details_confirmed(asked: BankDetails, person: User) -> Letter:
    return _of_bank_details("bank_details_confirmed", asked, person)


def bank_details_refused(asked: BankDetails, person: User) -> Letter:
    return _of_bank_details("bank_details_refused", asked, person)


def _of_bank_details(name: str, asked: BankDetails, person: User) -> Letter:
    """None says the numbers; who no longer holds the dossier is led to their dashboard."""
    application = asked.application
    if not person.is_referent:
        path = reverse("reviews:requests")
    elif person == application.referent:
        path = reverse("evidence:bank_details", args=[application.reference])
    else:
        path = reverse("applications:dashboard")
    context = {"asked": asked, "application": application, "person": person, "path": path}
    return compose(name, to=person.email, subject=application.subject, context=context)


def patient_data_reported(report: PatientDataReport, agent: User) -> Letter:
    """To an agent of the ANS, who decides; untrue once one of them did."""
    letter = _of_report("patient_data_reported", report, agent, path=reverse("evidence:reports"))
    letter.premise = {"report": report.pk}
    return letter


def evidence_purged(report: PatientDataReport, person: User) -> Letter:
    """To the référent, to whoever had reported the file, to the ARS that holds the dossier. None says its name."""
    name = "applications:detail" if person.is_referent else "reviews:dossier"
    path = reverse(name, args=[report.evidence.application.reference])
    return _of_report("evidence_purged", report, person, path=path)


def held_purged(file: StoredFile, label: str, application: Application, *, reason: str) -> Letter:
    """The same of a file that stood in no space; to the référent."""
    context = {
        "report": {"message": reason, "evidence": {"file": file}},
        "question": {"label": label},
        "application": application,
        "person": application.referent,
        "path": reverse("applications:detail", args=[application.reference]),
    }
    return compose("evidence_purged", to=application.referent.email, subject=application.subject, context=context)


def report_dismissed(report: PatientDataReport) -> Letter:
    return _of_report("report_dismissed", report, report.by, path=reverse("evidence:reports"))


def _of_report(name: str, report: PatientDataReport, person: User, *, path: str) -> Letter:
    application = report.evidence.application
    context = {
        "report": report,
        "question": report.evidence.question,
        "application": application,
        "person": person,
        "path": path,
    }
    return compose(name, to=person.email, subject=application.subject, context=context)


def space_path(evidence: Evidence) -> str:
    """Where a référent finds a space of their dossier, whatever step it is of."""
    application, key = evidence.application, evidence.question.key
    is_past = evidence.question.section.form_id != application.form.pk
    address = reverse("applications:step" if is_past else "applications:detail", args=[application.reference])
    return f"{address}#{'espace' if application.is_editable and not is_past else 'question'}-{key}"


def file_quarantined(
    file: StoredFile, application: Application, person: User, place: Place, *, until: date | None
) -> Letter:
    """To the référent, who may put another in its place; to the agents at whose desk the dossier lies."""
    told = {"file": file, "question": {"label": place.label}, "place": place, "until": until}
    path = place.path if person == application.referent else _desk(application)
    letter = _of_file("file_quarantined", application, person, path=path, **told)
    letter.premise = {"file": str(file.pk)}
    return letter


def quarantine_lifted(file: StoredFile, application: Application, person: User) -> Letter:
    path = _referents(application) if person == application.referent else _desk(application)
    return _of_file("quarantine_lifted", application, person, path=path, file=file)


def withheld_file_replaced(evidence: Evidence, former: Evidence, submission: Submission, person: User) -> Letter:
    """The receipt of the référent; and to the agents that the dossier is whole again."""
    application = evidence.application
    path = _referents(application) if person == application.referent else _desk(application)
    told = {"file": evidence.file, "former": former.file, "question": evidence.question, "submission": submission}
    return _of_file("withheld_file_replaced", application, person, path=path, **told)


def _referents(application: Application) -> str:
    return reverse("applications:detail", args=[application.reference])


def _desk(application: Application) -> str:
    return reverse("reviews:dossier", args=[application.reference])


def _of_file(name: str, application: Application, person: User, *, path: str, **told) -> Letter:
    context = {"application": application, "person": person, "path": path} | told
    return compose(name, to=person.email, subject=application.subject, context=context)


def pool_low(domain: Domain, objective: str, *, left: int, to: User, subject: str) -> Letter:
    """To an agent of the ANS; `left`: how many containers remain."""
    context = {"domain": domain, "objective": objective, "left": left, "person": to}
    context["path"] = reverse("evidence:containers")
    return compose("pool_low", to=to.email, subject=subject, context=context)
