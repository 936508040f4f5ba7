"""What somebody typed so far to register: kept in the session, in the database, until the account is made."""

from django.contrib.auth.hashers import make_password

from accounts.actions import Person
from establishments.models import Establishment, Region

KEY = "registration"
ANSWERS_PER_CHALLENGE = 10  # how often step 1 may be sent before another challenge


class Draft:
    """The registration under way in this session. The password is known by its hash alone."""

    def __init__(self, request):
        self._session = request.session
        self._data = request.session.get(KEY, {})

    def _write(self, **values):
        self._data |= values
        self._session[KEY] = self._data

    def forget(self):
        self._session.pop(KEY, None)

    # --- step 1 -------------------------------------------------------------------------------------------
    @property
    def person(self) -> Person | None:
        return Person(**self._data["person"]) if "person" in self._data else None

    @property
    def password_hash(self) -> str:
        return self._data.get("password", "")

    @property
    def password_about(self) -> dict | None:
        """The personal data against which that password was checked; None without a password."""
        return self._data.get("password_about") if self.password_hash else None

    @property
    def is_human(self) -> bool:
        return self._data.get("answers", 0) > 0

    def initial(self) -> dict:
        return dict(self._data.get("person", {}))

    def keep_what_was_passed(self, form):
        """A good password and a right answer are not asked again, whatever else is wrong."""
        answers = self._data.get("answers", 0)
        if "captcha" in form.fields:
            answers = ANSWERS_PER_CHALLENGE if form.is_human else 0
        self._write(answers=max(answers - 1, 0))
        if form.is_password_good:
            self._write(password=make_password(form.cleaned_data["password1"]), password_about=form.password_about)
        elif form.is_password_stale:
            self._write(password="", password_about=None)

    def keep_person(self, cleaned: dict):
        self._write(person={name: cleaned[name] for name in Person.__dataclass_fields__})

    # --- step 2 -------------------------------------------------------------------------------------------
    @property
    def kind(self) -> str:
        return self._data.get("kind", "")

    @property
    def kind_label(self) -> str:
        return Establishment.Kind(self.kind).label if self.kind else ""

    @property
    def region(self) -> Region | None:
        return Region.objects.filter(pk=self._data.get("region")).first()

    @property
    def has_kind(self) -> bool:
        return bool(self.kind and self._data.get("region"))

    @property
    def chosen(self) -> int | None:
        """Primary key of the establishment chosen last."""
        return self._data.get("establishment")

    @property
    def words(self) -> str:
        """What was searched when it was chosen."""
        return self._data.get("words", "")

    def keep_kind(self, *, kind: str, region: str | None):
        """Another kind or region forgets the establishment that was chosen."""
        if (kind, region) != (self.kind, self._data.get("region")):
            self._write(kind=kind, region=region, establishment=None)

    def choices(self):
        """The open establishments of that kind and region."""
        found = Establishment.objects.open().filter(kind=self.kind, region=self._data.get("region"))
        return found.select_related("ght", "legal_entity", "region")

    @property
    def establishment(self) -> Establishment | None:
        """The chosen one, as long as it is open and of that kind and region."""
        chosen = self._data.get("establishment")
        return self.choices().filter(pk=chosen).first() if chosen else None

    def keep_establishment(self, establishment: Establishment, *, words: str = ""):
        self._write(establishment=establishment.pk, words=words)
