"""What « Guide de l’administrateur » shows, from the invitation to the journal."""

import pytest
from django.urls import reverse

from accounts.agents import invite
from accounts.models import Invitation, User
from applications.models import Domain, FormVersion, Question
from applications.states import Step
from establishments.models import Region
from tests.guides.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CONTENT = "#content"


def test_the_guide_of_the_administrator(walk):
    one = walk("administrateur")
    one.become("administrateur")
    one.go(reverse("admin:index"))
    one.shot("atelier", CONTENT)
    invites(one)
    opens(one)
    edits(one)
    writes(one)
    keeps(one)
    one.go(reverse("admin:systems_token_add"))
    one.shot("jeton", CONTENT, below=900)
    one.end()


def invites(one: Walk) -> None:
    by = User.objects.get(username="administrateur")
    one.go(reverse("admin:accounts_invitation_add"))
    one.page.locator("[name=email]").fill("vincent.dupre@ars.example")
    one.shot("inviter", CONTENT)
    given = Invitation(email="vincent.dupre@ars.example", role=User.Role.ARS)
    invite(given, regions=list(Region.objects.filter(code="76")), by=by)
    one.go(reverse("admin:accounts_invitation_changelist"))
    one.shot("invitations", CONTENT)
    one.go(f"{reverse('admin:accounts_user_changelist')}?q=occitanie")
    one.shot("personnes", CONTENT)
    one.go(reverse("admin:accounts_user_change", args=[User.objects.get(username="ars.occitanie").pk]))
    one.shot("personne", CONTENT, below=1100)


def opens(one: Walk) -> None:
    domain = Domain.objects.get(slug="domaine-1")
    one.go(reverse("admin:applications_domain_change", args=[domain.pk]))
    one.shot("domaine", CONTENT, below=1150)
    one.go(reverse("admin:applications_domain_scale", args=[domain.pk]))
    one.shot("bareme", CONTENT)


def edits(one: Walk) -> None:
    page = one.page
    published = FormVersion.objects.get(domain__slug="domaine-1", step=Step.CANDIDATURE)
    one.go(f"{reverse('admin:applications_formversion_changelist')}?domain__id__exact={published.domain_id}")
    one.shot("formulaires", CONTENT)
    one.go(reverse("admin:applications_formversion_change", args=[published.pk]))
    one.shot("version-publiee", ".ecare-situation", mark=["button:text-is('Créer la version suivante')"])
    page.get_by_role("button", name="Créer la version suivante").click()
    page.wait_for_url("**/change/")
    one.shot("editeur", CONTENT, below=1000)
    draft = FormVersion.objects.get(domain__slug="domaine-1", step=Step.CANDIDATURE, published_at=None)
    question = Question.objects.get(section__form=draft, key="rib")
    one.go(reverse("admin:applications_question_change", args=[question.pk]))
    one.shot("question", CONTENT, below=1300)
    page.locator("[name=label]").fill("RIB de l’établissement")
    page.locator("input[name=_save]").click()
    one.go(reverse("admin:applications_formversion_compare", args=[draft.pk]))
    one.shot("comparer", CONTENT)
    one.go(reverse("admin:applications_formversion_publish", args=[draft.pk]))
    one.shot("publier", CONTENT)
    one.go(reverse("admin:evidence_spacetemplate_add"))
    one.shot("modele", CONTENT)


def writes(one: Walk) -> None:
    one.go(reverse("admin:letters_lettertext_changelist"))
    one.shot("textes", CONTENT, below=460)
    one.go(reverse("admin:letters_lettertext_write", args=["accepted"]))
    one.shot("texte", CONTENT, below=1000)
    one.go(reverse("admin:accounts_terms_add"))
    one.shot("cgu", CONTENT)
    one.go(reverse("admin:conventions_conventiontext_add"))
    one.shot("texte-de-convention", CONTENT)


def keeps(one: Walk) -> None:
    one.go(reverse("admin:establishments_importrequest_add"))
    one.shot("repertoire", CONTENT)
    one.go(f"{reverse('admin:letters_letter_changelist')}?q=clinique.pasteur")
    one.shot("courriers", CONTENT, below=700)
    one.go(reverse("evidence:containers"))
    one.shot("conteneurs", below=900)
    one.go(reverse("admin:journal_entry_changelist"))
    one.shot("journal", CONTENT, below=700)
    one.go(f"{reverse('admin:journal_entry_verify')}?objet=domain:domaine-1")
    one.shot("verifier", CONTENT)
