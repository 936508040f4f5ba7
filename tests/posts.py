"""What a person sends from each page that posts, rightly filled: the form as it was shown, and what they typed in it.

Rows are the visits of tests/test_query_counts.py; `test_every_page_that_posts_has_its_post` keeps them complete.
"""

from datetime import timedelta
from html.parser import HTMLParser

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.specimens import pdf
from reviews.claims import claim
from reviews.models import SavedView
from reviews.remarks import add_note
from tests.evidence.pool import SPACE as CONTAINER
from tests.evidence.pool import fill_pool
from tests.factories import PASSWORD, FormFactory
from tests.test_query_counts import visits

WHY = {"message": "Le RIB transmis ne correspond pas à l’IBAN.", "reason": "Page 3, une liste de patients."}
NEW_PASSWORD = "Montagne-Bleue-77"
PERSON = {"civility": "madame", "last_name": "Lenoir", "first_name": "Inès", "email": "ines.lenoir@exemple.fr"}
PERSON |= {"phone": "0467336733", "job": "RSSI"}


class Shown(HTMLParser):
    """What a browser would send of the form of a page, untouched: the first one that posts to the page itself."""

    def __init__(self, address: str):
        super().__init__()
        self.address, self.sent = address, {}
        self.is_inside, self.select, self.area = False, None, None

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        if tag == "form":
            is_ours = at.get("method") == "post" and at.get("action") in (None, "", self.address)
            self.is_inside = is_ours and not self.sent
        name = at.get("name")
        if not self.is_inside or "disabled" in at:
            return
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in at or self.select not in self.sent):
            self.sent[self.select] = [at.get("value", "")]
        elif tag == "textarea" and name:
            self.area, self.sent[name] = name, [""]
        elif tag == "input" and name and at.get("type") not in ("submit", "button", "file"):
            is_box = at.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in at:
                self.sent.setdefault(name, []).append(at.get("value", "on" if is_box else ""))

    def handle_data(self, data):
        if self.area:
            self.sent[self.area][0] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.area = None


def shown(client: Client, address: str) -> dict[str, list[str]]:
    read = Shown(address)
    read.feed(client.get(address).text)
    return read.sent


def file(name: str) -> dict:
    return {name: SimpleUploadedFile(f"{name}.pdf", pdf(line=f"Un autre fichier, {name}"))}


def today() -> str:
    return timezone.localdate().isoformat()


def in_days(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


# Row → what is typed over the form as shown; a function of the world where it names somebody.
TYPED = {
    "accounts:change_email": {"email": "toute.neuve@exemple.fr", "password": PASSWORD},
    "accounts:letters": {"daily": "oui"},
    "accounts:accept_terms": {"is_accepted": "on"},
    "account_change_password": {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    "applications:transfer": lambda world: {"dossier": f"{world.dossiers['draft'].reference}-1"},
    "applications:request_take_over": {"reason": "Le référent a quitté l’établissement."},
    "applications:withdraw draft": {},
    "applications:withdraw submitted": {},
    "applications:update_contact draft": PERSON,
    "applications:update_contact validated": PERSON,
    "conventions:convention accepted": lambda _world: file("upload"),
    "evidence:bank_details accepted": lambda _world: {
        "account-holder": "CH du Port", "iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON", **file("upload"),
    },
    "evidence:remove draft": {},
    "evidence:replace changes_requested": lambda _world: file("replacement"),
        "evidence:reissue_container changes_requested": {"reason": WHY["reason"]},
    "evidence:patient_data under_control": {"reason": WHY["reason"], "is_sure": "on"},
    "evidence:dismiss_report": {"reason": WHY["reason"]},
    "funding:decide under_control": {},
    "reviews:accept submitted": {},
    "reviews:request_changes submitted": WHY,
    "reviews:reject submitted": WHY,
    "reviews:cancel_changes asked": WHY,
    "reviews:move_due_date asked": WHY | {"due_on": in_days(20)},
    "reviews:reopen rejected": WHY,
    "reviews:sign_convention accepted": lambda _world: {
        "signed_on": today(), "establishment_signed_on": today(), **file("upload"),
    },
    "reviews:refuse_copy accepted": WHY,
    "reviews:abandon accepted": WHY,
    "reviews:request_changes under_control": WHY,
    "reviews:reject under_control": WHY,
    "reviews:send_back under_control": WHY,
    "reviews:abandon under_control": WHY,
    "reviews:record_payment validated": {"reference": "VIR-2026-0042", "paid_on": today()},
    "reviews:abandon validated": WHY,
    "reviews:pieces submitted": lambda world: {
        f"decision-{one.file_id}": "accepted" for one in world.dossiers["submitted"].evidence.all()
    },
    "reviews:add_note": {"text": "Le RIB est à vérifier."},
    "reviews:ask_opinion": lambda world: {"question": "Est-ce bon ?", "of": str(world.cast["ans"].pk)},
    "reviews:give_opinion": {"answer": "Oui.", "advice": "for"},
    "reviews:resend_letter": {},
    "reviews:add_phrase": {"title": "RIB", "text": "Merci de fournir le RIB."},
    "reviews:edit_phrase": {"title": "RIB", "text": "Merci de fournir un RIB lisible."},
    "reviews:give_extension": WHY | {"until": in_days(60)},
    "reviews:withdraw_extension": WHY,
    "reviews:accept_take_over": {},
    "reviews:refuse_take_over": WHY,
    "reviews:confirm_bank_details": {},
    "reviews:refuse_bank_details": WHY,
}  # fmt: skip


def without_page(world, signed_in) -> dict[str, tuple[Client, str, dict]]:
    """What is sent from the page of something else."""
    owner, ars, ans = (signed_in(world.cast[role]) for role in ("owner", "ars", "ans"))
    colleague = signed_in(world.colleague)
    draft, sent = world.dossiers["draft"], world.dossiers["submitted"]
    opened, free = world.dossiers["declaration_open"], FormFactory().domain
    view = {"query": "etat=submitted", "name": "À vérifier"}
    fill_pool(draft)
    claim(sent, by=world.cast["ars"], at=timezone.now())
    own_note = add_note(sent, by=world.cast["ars"], text="À revoir.", is_shared=False)
    return {
        row: (client, reverse(row.partition(" ")[0], args=args), typed)
        for row, client, args, typed in [
            ("accounts:close_other_sessions", signed_in(world.owner), [], {}),
            ("applications:start", owner, [], {"domain": free.slug}),
            ("applications:detail draft", owner, [draft.reference], {"_page": "1", "met-0": "oui"}),
            ("applications:answer draft", owner, [draft.reference, "account-holder"], {"account-holder": "CH du Port"}),
            ("applications:submit draft", owner, [draft.reference], {"version": draft.version}),
            ("applications:submit declaration_open", owner, [opened.reference], {"version": opened.version}),
            ("evidence:add draft", owner, [draft.reference], {"space": "espace-0"} | file("espace-0")),
            ("evidence:container draft", owner, [draft.reference, CONTAINER["key"]], {}),
            ("reviews:assign", ars, [], {"scope": "coches", "dossiers": sent.reference, "agent": world.cast["ars"].pk}),
            ("reviews:save_view", ars, [], view),
            ("reviews:forget_view", ars, [SavedView.objects.filter(owner=world.cast["ars"]).first().pk], {}),
            ("reviews:remove_phrase", ars, [world.phrase.pk], {}),
            ("reviews:claim", ans, [world.dossiers["under_control"].reference], {}),
            ("reviews:release", ars, [sent.reference], {}),
            ("reviews:follow", ars, [sent.reference], {}),
            ("reviews:remove_note", ars, [sent.reference, own_note.pk], {}),
            ("exports:ask_view", ars, [], {"kind": "queue_csv", "query": "etat=submitted"}),
            ("exports:ask_archive", ans, [], {"archived": sent.domain.slug}),
            ("exports:ask_dossier", ars, [sent.reference, "pdf"], {}),
            ("accounts:cancel_email_change", colleague, [], {}),
        ]
    }


def all_posts(world, signed_in) -> dict[str, tuple[Client, str, dict]]:
    """Row → who sends it, to what address, and what."""
    found = {}
    for row, (client, address) in visits(world, signed_in).items():
        if row in TYPED:
            typed = TYPED[row](world) if callable(TYPED[row]) else TYPED[row]
            found[row] = client, address, shown(client, address) | typed
    return found | without_page(world, signed_in)
