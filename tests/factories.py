"""Things the tests need, each small and valid by itself; traits put a dossier where its life has led it."""

import factory
from django.utils import timezone

from accounts.models import User
from applications.models import Application, Domain, FormVersion, Question, Section
from applications.states import IN_DECLARATION, State, Step
from establishments.models import Department, Establishment, Ght, LegalEntity, Region, Site, normalised

PASSWORD = "Sommeil-Profond-42"


def finess(department: str, rank: int) -> str:
    """A FINESS number whose Luhn key is right."""
    body = f"{department}{rank:06d}"
    digits = [int(c) for c in body.replace("A", "1").replace("B", "2")]
    total = sum(sum(divmod(d * 2, 10)) if i % 2 == 0 else d for i, d in enumerate(reversed(digits)))
    return body + str(-total % 10)


class RegionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Region
        django_get_or_create = ["code"]

    code = "76"
    name = factory.LazyAttribute(
        lambda r: {"76": "Occitanie", "75": "Nouvelle-Aquitaine"}.get(r.code, f"Région {r.code}")
    )
    ars = factory.LazyAttribute(lambda r: f"ARS {r.name}")


class DepartmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Department
        django_get_or_create = ["code"]

    code = "34"
    name = factory.LazyAttribute(lambda d: f"Département {d.code}")
    region = factory.SubFactory(RegionFactory)


class LegalEntityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = LegalEntity

    finess = factory.Sequence(lambda n: finess("34", n))
    name = factory.Sequence(lambda n: f"CH DE LA VILLE {n}")
    town = "MONTPELLIER"
    postcode = "34000"
    department = factory.SubFactory(DepartmentFactory)
    legal_status = "13"
    search_text = factory.LazyAttribute(lambda e: normalised(f"{e.name} {e.town} {e.finess}"))


class SiteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Site

    finess = factory.Sequence(lambda n: finess("34", 500_000 + n))
    legal_entity = factory.SubFactory(LegalEntityFactory)
    name = factory.Sequence(lambda n: f"SITE {n}")
    department = factory.SelfAttribute("legal_entity.department")
    category = "355"
    category_aggregate = "1102"


class GhtFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Ght
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"OCC-{n:02d}")
    name = factory.Sequence(lambda n: f"TERRITOIRE {n}")
    support = factory.SubFactory(LegalEntityFactory)

    @factory.post_generation
    def members(self, create, extracted, **kwargs):
        self.members.add(self.support, *(extracted or []))


class EstablishmentFactory(factory.django.DjangoModelFactory):
    """A public entity outside GHT with one site; `as_ght` and `private` for the other kinds."""

    class Meta:
        model = Establishment
        skip_postgeneration_save = True

    class Params:
        as_ght = factory.Trait(kind=Establishment.Kind.GHT, ght=factory.SubFactory(GhtFactory))
        private = factory.Trait(
            kind=Establishment.Kind.PRIVATE, legal_entity=factory.SubFactory(LegalEntityFactory, legal_status="73")
        )

    kind = Establishment.Kind.PUBLIC
    legal_entity = factory.Maybe(
        "ght",
        yes_declaration=factory.SelfAttribute("ght.support"),
        no_declaration=factory.SubFactory(LegalEntityFactory),
    )
    region = factory.SelfAttribute("legal_entity.department.region")
    name = factory.SelfAttribute("legal_entity.name")
    search_text = factory.LazyAttribute(
        lambda e: normalised(f"{e.ght.code if e.ght else ''} {e.name} {e.legal_entity.town} {e.legal_entity.finess}")
    )

    @factory.post_generation
    def site(self, create, extracted, **kwargs):
        if self.kind != Establishment.Kind.GHT and not self.legal_entity.sites.exists():
            SiteFactory(legal_entity=self.legal_entity)


class UserFactory(factory.django.DjangoModelFactory):
    """A référent whose e-mail is verified and who accepted the terms in force, if any."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        ars = factory.Trait(role=User.Role.ARS, establishment=None)
        ans = factory.Trait(role=User.Role.ANS, establishment=None)
        administrator = factory.Trait(role=User.Role.ADMINISTRATOR, establishment=None, is_staff=True)

    username = factory.Sequence(lambda n: f"personne{n}")
    email = factory.LazyAttribute(lambda u: f"{u.username}@exemple.fr")
    civility = "madame"
    first_name = "Camille"
    last_name = factory.Sequence(lambda n: f"Martin{n}")
    phone = "+33467336733"
    role = User.Role.REFERENT
    establishment = factory.SubFactory(EstablishmentFactory)
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def regions(self, create, extracted, **kwargs):
        if extracted:
            self.regions.set(extracted)

    @factory.post_generation
    def verified(self, create, extracted=True, **kwargs):
        self.emailaddress_set.create(email=self.email, verified=extracted is not False, primary=True)


class DomainFactory(factory.django.DjangoModelFactory):
    """A domain without end, open to every kind, whose declarations open as soon as a convention is signed."""

    class Meta:
        model = Domain

    slug = factory.Sequence(lambda n: f"domaine-{n}")
    name = factory.Sequence(lambda n: f"Domaine {n}")
    kinds = factory.LazyFunction(lambda: [str(kind) for kind in Establishment.Kind])
    candidature_from = timezone.datetime(2024, 1, 1).date()


class FormFactory(factory.django.DjangoModelFactory):
    """A published form with one optional question, so that a dossier may be sent at once."""

    class Meta:
        model = FormVersion
        skip_postgeneration_save = True

    domain = factory.SubFactory(DomainFactory)
    step = Step.CANDIDATURE
    published_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def questions(self, create, extracted, **kwargs):
        """A list of dicts of Question fields; by default one optional text."""
        section = Section.objects.create(form=self, position=1, title="Section")
        for position, fields in enumerate(extracted or [{"key": "precision", "is_required": False}], start=1):
            defaults = {"kind": Question.Kind.TEXT, "label": f"Question {position}", "key": f"question-{position}"}
            Question.objects.create(section=section, position=position, **(defaults | fields))


class ApplicationFactory(factory.django.DjangoModelFactory):
    """A dossier in any state: `ApplicationFactory(state=State.UNDER_CONTROL)` has what that state demands."""

    class Meta:
        model = Application

    class Params:
        was_sent = factory.LazyAttribute(lambda a: a.state not in (State.DRAFT, State.WITHDRAWN))
        was_declared = factory.LazyAttribute(lambda a: a.state in IN_DECLARATION and a.state != State.DECLARATION_OPEN)

    referent = factory.SubFactory(UserFactory)
    establishment = factory.SelfAttribute("referent.establishment")
    domain = factory.SubFactory(DomainFactory)
    state = State.DRAFT
    candidature_form = factory.SubFactory(FormFactory, domain=factory.SelfAttribute("..domain"))
    candidature_submitted_at = factory.LazyAttribute(lambda a: timezone.now() if a.was_sent else None)
    declaration_submitted_at = factory.LazyAttribute(lambda a: timezone.now() if a.was_declared else None)
    convention_signed_on = factory.LazyAttribute(
        lambda a: timezone.localdate() if a.state in (State.CONVENTION_SIGNED, *IN_DECLARATION) else None
    )
    sendings = factory.LazyAttribute(lambda a: int(a.was_sent) + int(a.was_declared))
    declaration_form = factory.LazyAttribute(
        lambda a: FormFactory(domain=a.domain, step=Step.DECLARATION) if a.state in IN_DECLARATION else None
    )
