"""The letters of a dossier: one function each, named after what happened; the action saves what it returns."""

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from applications.corrections import opened_together
from applications.models import Application, ChangeRequest, Contact, Extension, Submission, TakeOverRequest
from applications.rules import Progress, Reminder, declaration_until
from applications.states import Step
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from establishments.models import Establishment

# Letters that ask somebody to do something: untrue as soon as the dossier moves on.
CALLS_TO_ACT = ["to_review", "sent_back", "changes_requested", "due_date_moved", "declaration_opened", "reminder"]
# Of these, what the référent was to do: untrue for somebody who no longer holds the dossier.
CALLS_TO_REFERENT = ["changes_requested", "due_date_moved", "declaration_opened", "reminder"]


def _to_referent(name: str, application: Application, **context) -> Letter:
    path = reverse("applications:detail", args=[application.reference])
    return _about(name, application, to=application.referent, path=path, **context)


def _to_reviewer(name: str, application: Application, *, to: User, **context) -> Letter:
    path = reverse("reviews:dossier", args=[application.reference])
    return _about(name, application, to=to, path=path, **context)


def _about(name: str, application: Application, *, to: User, path: str, **context) -> Letter:
    context |= {"application": application, "person": to, "path": path}
    return compose(name, to=to.email, subject=application.subject, context=context)


def submitted(application: Application, submission: Submission) -> Letter:
    """The legal receipt of a sending: its instant and the digest of its content."""
    arguments = [application.reference, submission.step, submission.number]
    receipt_path = reverse("applications:receipt", args=arguments)
    return _to_referent("submitted", application, submission=submission, receipt_path=receipt_path)


def to_review(application: Application, reader: User) -> Letter:
    return _to_reviewer("to_review", application, to=reader)


def contacts_changed(application: Application, contact: Contact, person: User) -> Letter:
    """To the référent, and to whoever has the dossier on their desk."""
    if person == application.referent:
        letter = _to_referent("contacts_changed", application, contact=contact)
    else:
        letter = _to_reviewer("contacts_changed", application, to=person, contact=contact)
    letter.premise = about_contact(contact)
    return letter


def about_contact(contact: Contact) -> dict[str, str]:
    """Which contact a letter tells of: the next change of the same one takes its place."""
    return {"contact": contact.role}


def transferred(application: Application, person: User, *, sender: User) -> Letter:
    """To the new référent and to the former one."""
    if person == application.referent:
        return _to_referent("transferred", application, sender=sender)
    path = reverse("applications:dashboard")
    return _about("transferred", application, to=person, path=path, sender=sender)


def take_over_requested(asked: TakeOverRequest, person: User) -> Letter:
    """To whoever asked, and to the référent."""
    return _of_take_over("take_over_requested", asked, person)


def take_over_to_decide(asked: TakeOverRequest, agent: User) -> Letter:
    """To those who may decide; untrue once one of them did."""
    letter = _of_take_over("take_over_to_decide", asked, agent)
    letter.premise = {"take_over": asked.pk}
    return letter


def take_over_accepted(asked: TakeOverRequest, person: User) -> Letter:
    return _of_take_over("take_over_accepted", asked, person)


def take_over_refused(asked: TakeOverRequest, person: User) -> Letter:
    return _of_take_over("take_over_refused", asked, person)


def take_over_moot(asked: TakeOverRequest) -> Letter:
    """To whoever asked for a dossier that its référent then withdrew."""
    path = reverse("applications:dashboard")
    return _about("take_over_moot", asked.application, to=asked.by, path=path)


def _of_take_over(name: str, asked: TakeOverRequest, person: User) -> Letter:
    """`person`: who asked, who holds or held the dossier, or an agent; each is led to their own page."""
    application = asked.application
    if not person.is_referent:
        path = reverse("reviews:requests")
    elif person == application.referent:
        path = reverse("applications:detail", args=[application.reference])
    else:
        path = reverse("applications:take_overs" if person == asked.by else "applications:dashboard")
    return _about(name, application, to=person, path=path, asked=asked)


def withdrawn(application: Application) -> Letter:
    return _to_referent("withdrawn", application)


def changes_requested(application: Application, request: ChangeRequest) -> Letter:
    return _to_referent(
        "changes_requested", application, request=request, asked=_asked(request), together=_together(request)
    )


def changes_cancelled(application: Application, reason: str) -> Letter:
    return _to_referent("changes_cancelled", application, reason=reason)


def due_date_moved(application: Application, request: ChangeRequest, reason: str) -> Letter:
    """Later or earlier: untrue once the dossier moves on, as the request itself."""
    return _to_referent("due_date_moved", application, request=request, reason=reason)


def _together(request: ChangeRequest) -> str:
    return opened_together(request.application, request.items.all())


def _asked(request: ChangeRequest | None) -> list[str]:
    """One line for each question or file that a change request names."""
    items = request.items.select_related("question") if request else []
    lines = []
    for item in items:
        file = f", fichier « {item.file_name} »" if item.file else ""
        remark = f" : {' '.join(item.remark.split())}" if item.remark else ""
        lines.append(f"{item.question.label}{file}{remark}")
    return lines


def accepted(application: Application) -> Letter:
    """Leads to the convention, which is to be signed next."""
    path = reverse("conventions:convention", args=[application.reference])
    return _about("accepted", application, to=application.referent, path=path)


def convention_signed(application: Application) -> Letter:
    """While the declaration is still to come."""
    path = reverse("conventions:convention", args=[application.reference])
    return _about("convention_signed", application, to=application.referent, path=path)


def rejected(application: Application, reason: str) -> Letter:
    return _to_referent("rejected", application, reason=reason)


def reopened(application: Application, reason: str) -> Letter:
    return _to_referent("reopened", application, reason=reason)


def sent_back(application: Application, reader: User, reason: str) -> Letter:
    return _to_reviewer("sent_back", application, to=reader, reason=reason)


def declaration_opened(application: Application) -> Letter:
    return _to_referent("declaration_opened", application, until=declaration_until(application))


def reminder(application: Application, due: Reminder, *, progress: Progress, request: ChangeRequest | None) -> Letter:
    """Written once per threshold; asked about again when it leaves (`applications.reminders`)."""
    step = Step(application.step).label
    context = {"due": due, "progress": progress, "request": request, "asked": _asked(request), "step": step}
    letter = _to_referent("reminder", application, **context)
    letter.premise = {"reminder": due.key}
    letter.once = f"{application.subject}:{due.key}"
    return letter


def closure_of(establishment: Establishment) -> dict[str, str]:
    """What the alert of a closure says it is about, and what must still be true when it leaves."""
    return {"closed_on": establishment.closed_on.isoformat()}


def establishment_closed(establishment: Establishment, dossiers: list[Application], reader: User) -> Letter:
    """To an agent of the ARS or of the ANS: the dossiers under way of an establishment that the directory closed."""
    queue = reverse("reviews:queue", query={"etat": "tous", "q": establishment.finess})
    rows = [(dossier, reverse("reviews:dossier", args=[dossier.reference])) for dossier in dossiers]
    context = {"establishment": establishment, "rows": rows, "person": reader, "path": queue}
    letter = compose("establishment_closed", to=reader.email, subject=establishment.subject, context=context)
    letter.premise = closure_of(establishment)
    return letter


def desk_digest(agent: User, desk, *, named: int) -> Letter:
    """To an agent, on Monday: what waits on their desk (`applications.digests.Desk`), the late ones by their name."""
    queue = reverse("reviews:queue")
    domains = [
        (domain, count, reverse("reviews:queue", query={"domaine": domain.slug})) for domain, count in desk.by_domain
    ]
    late = [(one, _dossier_path(one.application)) for one in desk.late]
    context = {"person": agent, "desk": desk, "domains": domains, "path": queue, "limit": settings.LATE_AFTER_DAYS}
    context |= {"late": late[:named], "late_count": len(late), "late_more": len(late[named:])}
    context["oldest_path"] = _dossier_path(desk.oldest.application)
    return compose("desk_digest", to=agent.email, subject=f"user:{agent.pk}", context=context)


def _dossier_path(application: Application) -> str:
    return reverse("reviews:dossier", args=[application.reference])


def extension_given(extension: Extension, dossier: Application | None, person: User) -> Letter:
    """To the référent of the dossier, or to those of the establishment while it has none."""
    return _of_extension("extension_given", extension, dossier, person)


def extension_withdrawn(extension: Extension, dossier: Application | None, person: User) -> Letter:
    return _of_extension("extension_withdrawn", extension, dossier, person)


def _of_extension(name: str, extension: Extension, dossier: Application | None, person: User) -> Letter:
    path = reverse("applications:detail", args=[dossier.reference]) if dossier else reverse("applications:dashboard")
    context = {"extension": extension, "application": dossier, "person": person, "path": path}
    return compose(name, to=person.email, subject=(dossier or extension).subject, context=context)


def passed_to_ans(application: Application) -> Letter:
    return _to_referent("passed_to_ans", application)


def validated(application: Application, **told) -> Letter:
    """`told`: the amount that was decided, and the expenses that were not accepted whole (`lines`)."""
    return _to_referent("validated", application, **told)


def paid(application: Application, **told) -> Letter:
    """`told`: the amount, the day and the reference of the transfer."""
    return _to_referent("paid", application, **told)


def abandoned(application: Application, reason: str) -> Letter:
    return _to_referent("abandoned", application, reason=reason)


def draft_expiring(application: Application, *, days: int) -> Letter:
    """Nobody types in it any more: it will be erased."""
    return _to_referent("draft_expiring", application, days=days)
