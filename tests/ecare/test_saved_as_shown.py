"""Whoever opens a page of the administration and saves it without touching it changes nothing, and is not refused."""

from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.core import serializers
from django.urls import reverse

from accounts.agents import invite
from accounts.models import Invitation, Terms, User
from applications import versions
from applications.models import FormVersion
from ecare.journal.models import Entry

pytestmark = pytest.mark.django_db
CLOSED = {"auth", "account", "otp_totp", "dsfr", "exports", "letters", "journal"}
MOST = 12
SAVED = {"accounts.Terms", "accounts.User", "applications.Domain", "applications.FormVersion", "applications.Question"}
SAVED |= {"applications.Section"}


class Typed(HTMLParser):
    """What a browser would send of the form of a page: each control that has a name, as it was shown."""

    def __init__(self):
        super().__init__()
        self.is_inside, self.sent, self.select, self.area, self.errors = False, {}, None, None, []

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        if tag == "form":
            self.is_inside = at.get("id", "").endswith("_form") and at.get("method") == "post"
        if not self.is_inside or "disabled" in at:
            return
        name = at.get("name")
        if tag == "select":
            self.select = (name, "multiple" in at)
            self.sent.setdefault(name, [])
        elif tag == "option" and self.select:
            name, is_multiple = self.select
            if "selected" in at or (not is_multiple and not self.sent[name]):
                self.sent[name] = [*(self.sent[name] if is_multiple else []), at.get("value", "")]
        elif tag == "textarea":
            self.area = name
            self.sent[name] = [""]
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
            # A line feed that follows the tag at once is no part of the text.
            self.sent[self.area][0] = self.sent[self.area][0].removeprefix("\n").replace("\n", "\r\n")
            self.area = None


def sent_by(page: str) -> dict[str, list[str]]:
    read = Typed()
    read.feed(page)
    return read.sent


@pytest.fixture
def desk(demo, signed_in):
    """The administrator of the demo, and one of each thing that the demo itself does not have."""
    by = User.objects.get(role="administrator")
    versions.duplicate(FormVersion.objects.exclude(published_at=None).first(), by=by)
    invite(Invitation(email="invitee@ars.example", role="ans"), regions=[], by=by)
    Terms.objects.create(version="9.0", text="# Objet\n\nLes règles.")
    return signed_in(by)


def facts() -> dict:
    """Every row that these pages may touch, and how long the journal is."""
    rows = {
        (model._meta.label, one.pk): serializers.serialize("json", [one])
        for model in admin.site._registry
        if model._meta.app_label not in CLOSED
        for one in model._default_manager.all()
    }
    told = Entry.objects.exclude(verb="vouch_for")  # whoever saves a person vouches for their address
    return rows | {"journal": told.count()}


def pages(desk):
    """Of each table: its newest rows whose page can be saved."""
    for model in admin.site._registry:
        if model._meta.app_label in CLOSED:
            continue
        for one in model._default_manager.order_by("-pk")[:MOST]:
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[one.pk])
            page = desk.get(address)
            if page.status_code == 200 and 'name="_save"' in page.text:
                yield model._meta.label, address, sent_by(page.text)


def test_every_page_saves_as_it_was_shown(desk):
    """A row that waits to be filled is left blank, as whoever looks for another field leaves it."""
    saved, refused, before = set(), {}, facts()
    for label, address, sent in pages(desk):
        answer = desk.post(address, sent | {"_save": "1"})
        saved.add(label)
        if answer.status_code != 302:
            inlines = [one.formset.errors for one in answer.context["inline_admin_formsets"]]
            refused[address] = [answer.context["adminform"].form.errors, *inlines]
    assert refused == {}
    after = facts()
    assert {key for key in before | after if before.get(key) != after.get(key)} == set()
    assert saved == SAVED
