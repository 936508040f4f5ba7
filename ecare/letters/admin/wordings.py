"""The texts of letters: read, written, tried, put in force."""

from csp.constants import SELF
from csp.decorators import csp, csp_update
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ecare.admin_site import ReadOnlyAdmin
from ecare.letters import emails, names, texts, wording, words
from ecare.letters.forms import TextForm
from ecare.letters.models import SECRET_MARK, LetterText
from ecare.letters.specimens import CASES
from ecare.letters.views import MAIL_POLICY


@admin.register(LetterText)
class LetterTextAdmin(ReadOnlyAdmin):
    """A list of letters rather than of versions: each letter has its page, and its history on it."""

    def get_urls(self):
        pages = [
            ("", require_http_methods(["GET", "HEAD", "POST"])(self.write), "write"),
            ("apercu/", csp_update({"frame-src": [SELF]})(require_safe(self.preview)), "preview"),
            ("html/", xframe_options_sameorigin(csp(MAIL_POLICY)(require_safe(self.html))), "html"),
            ("en-service/", require_POST(self.put_in_force), "inforce"),
            ("origine/", require_POST(self.restore), "restore"),
            ("essai/", require_POST(self.send_trial), "trial"),
        ]
        urls = [
            path(f"courrier/<slug:name>/{end}", self.admin_site.admin_view(view), name=f"letters_lettertext_{page}")
            for end, view, page in pages
        ]
        return [*urls, *super().get_urls()]

    # --- the letters ---
    def changelist_view(self, request, extra_context=None):
        self._check(request)
        rows = [self._row(name, text) for name, text in _in_force().items()]
        return self._page(request, "admin/letters/texts/list.html", title="Textes des courriers", rows=rows)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        text = self.get_object(request, object_id)
        if text is None:
            raise Http404
        return HttpResponseRedirect(_address("preview", text.name, version=text.number))

    def _row(self, name: str, text: LetterText | None) -> dict:
        try:
            title = text.title if text else texts.original(name)[0]
        except words.NoWord:
            title = ""
        return {"name": name, "called": names.called(name), "text": text, "title": title}

    # --- one letter ---
    def write(self, request, name):
        self._check(request)
        title, body = self._original(name)
        last = LetterText.objects.filter(name=name).order_by("-number").first()
        text = LetterText.objects.in_force(name)
        base = _version(request, name) or (last if last and not last.in_force_at else None) or text
        shown = {"title": base.title, "body": base.body} if base and not base.is_original else {
            "title": title, "body": body
        }  # fmt: skip
        sent = (request.POST,) if request.method == "POST" else ()
        form = TextForm(name, *sent, initial=shown | {"shown": last.number if last else 0})
        if form.is_valid():
            try:
                saved = wording.save_text(name, by=request.user.actor, at=request.arrived_at, **form.cleaned_data)
            except wording.NotNow as stale:
                form.add_error(None, str(stale))
            else:
                self.message_user(request, "La version est enregistrée. Relisez-la, puis mettez-la en service.")
                return HttpResponseRedirect(_address("preview", name, version=saved.number))
        context = {
            "title": f"Texte du courrier « {names.called(name)} »",
            "form": form,
            "errors": bool(form.errors),
            "places": _told(words.places(texts.file_of(name))),
            "text": text,
            "last": last,
            "original": {"title": title, "body": body},
            "versions": LetterText.objects.filter(name=name),
        }
        return self._page(request, "admin/letters/texts/write.html", name=name, **context)

    def preview(self, request, name):
        self._check(request)
        version, case = _version(request, name), _case(request)
        context = {
            "title": f"Aperçu du courrier « {names.called(name)} »",
            "letter": self._letter(request, name),
            "version": version,
            "is_last": version is not None and version.number == wording.last_number(name),
            "in_force": LetterText.objects.in_force(name),
            "case": case,
            "frame": _address("html", name, **_query(version, case)),
            "cases": [(rank, _address("preview", name, **_query(version, rank))) for rank in range(len(CASES))],
        }
        return self._page(request, "admin/letters/texts/preview.html", name=name, **context)

    def html(self, request, name):
        """The HTML part alone, for the frame of the preview: no script, no form, its links lead nowhere else."""
        self._check(request)
        return HttpResponse(self._letter(request, name).html)

    def put_in_force(self, request, name):
        version = self._posted(request, name)
        return self._do(request, name, lambda: wording.put_in_force(version, **self._by(request)), (
            "Ce texte est en service : les courriers à venir sont écrits d’après lui."
        ))  # fmt: skip

    def restore(self, request, name):
        self._check(request)
        self._original(name)
        shown = wording.last_number(name)
        return self._do(request, name, lambda: wording.restore(name, shown=shown, **self._by(request)), (
            "Ce courrier est de nouveau écrit d’après le texte d’origine."
        ))  # fmt: skip

    def send_trial(self, request, name):
        """To whoever asks, and to nobody else."""
        version, case = self._posted(request, name, is_needed=False), _case(request)
        to = request.user.email
        wording.send_trial(name, self._source(name, version), to=to, case=case, by=request.user.actor)
        self.message_user(
            request, f"Un essai part vers {to} : son objet commence par « {wording.TRIAL_MARK.strip()} »."
        )
        return HttpResponseRedirect(_address("preview", name, **_query(version, case)))

    # --- what they share ---
    def _check(self, request) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _original(self, name: str) -> tuple[str, str]:
        """404 for a letter that does not exist, or cannot be edited."""
        if name not in texts.names():
            raise Http404
        try:
            return texts.original(name)
        except words.NoWord as missing:
            raise Http404 from missing

    def _source(self, name: str, version: LetterText | None) -> str:
        self._original(name)
        if version is None:
            return texts.source_of(name)
        if version.is_original:
            return texts.file_of(name)
        try:
            return texts.source_from(name, version.title, version.body)
        except words.Fault as fault:  # its file has changed since
            raise Http404 from fault

    def _letter(self, request, name: str):
        source = self._source(name, _version(request, name))
        letter = emails.write(name, source, to=request.user.email, context=CASES[_case(request)], is_secret=False)
        for part in ("text", "html"):
            setattr(letter, part, getattr(letter, part).replace(SECRET_MARK, wording.IN_ITS_PLACE))
        return letter

    def _posted(self, request, name: str, *, is_needed: bool = True) -> LetterText | None:
        self._check(request)
        self._original(name)
        number = request.POST.get("version", "")
        found = LetterText.objects.filter(name=name, number=number).first() if number.isdecimal() else None
        if found is None and is_needed:
            raise Http404
        return found

    def _by(self, request) -> dict:
        return {"by": request.user.actor, "at": request.arrived_at}

    def _do(self, request, name: str, verb, said: str):
        try:
            verb()
        except (wording.NotNow, words.Fault) as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(_address("write", name))

    def _page(self, request, template: str, **context):
        context |= self.admin_site.each_context(request) | {"opts": self.opts}
        context |= {"called": names.called(context.get("name", ""))}
        return TemplateResponse(request, template, context)


def _in_force() -> dict[str, LetterText | None]:
    """By name, in one question."""
    found: dict[str, LetterText | None] = dict.fromkeys(texts.names())
    for text in LetterText.objects.exclude(in_force_at=None).order_by("number"):
        if text.name in found:
            found[text.name] = None if text.is_original else text
    return found


def _told(places: dict[str, str]) -> list[dict]:
    """The places of a letter, and what each is for."""
    return [{"word": f"{{{{ {word} }}}}", "kind": _kind(word, code)} for word, code in places.items()]


def _kind(word: str, code: str) -> str:
    if words.is_secret(word):
        return "confidentiel, à garder"
    if words.is_address(word):
        return "adresse d’un bouton"
    return "passage" if code.startswith("{%") else "valeur"


def _version(request, name: str) -> LetterText | None:
    number = request.GET.get("version", "")
    return LetterText.objects.filter(name=name, number=number).first() if number.isdecimal() else None


def _case(request) -> int:
    """Which of the invented cases: `?cas=`."""
    return 1 if (request.GET.get("cas") or request.POST.get("cas")) == "1" else 0


def _query(version: LetterText | None, case: int) -> dict:
    return {"cas": case} | ({"version": version.number} if version else {})


def _address(page: str, name: str, **query) -> str:
    address = reverse(f"admin:letters_lettertext_{page}", args=[name])
    return f"{address}?{urlencode(query)}" if query else address
