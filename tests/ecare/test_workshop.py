"""The first page of the administration, and what no page of it says."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from ecare.admin_site import TASKS
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ENGLISH = re.compile(
    r">\s*(?:Home|Add|Change|Delete|Save|Search|History|View site|Log out|Select|Filter|Welcome|Recent actions|"
    r"[A-Z][a-z]+s? objects?)\b"
)


@pytest.fixture
def desk(signed_in):
    return signed_in(UserFactory(administrator=True))


def test_each_task_stands_on_the_first_page_and_opens(desk):
    page = desk.get(reverse("admin:index")).text
    for _title, tasks in TASKS:
        for label, sentence, name in tasks:
            assert label in page
            assert sentence in page
            assert f'href="{reverse(name)}"' in page
            assert desk.get(reverse(name)).status_code == 200


def test_the_portal_is_left_by_a_name_that_says_so(desk):
    page = desk.get(reverse("admin:index")).text
    assert "Voir le site" not in page
    assert "Quitter l’administration" in page


def ours():
    closed = ("auth", "account", "otp_totp", "dsfr")
    return sorted(model._meta.label_lower for model in admin.site._registry if model._meta.app_label not in closed)


@pytest.mark.parametrize("label", ours())
def test_no_list_and_no_form_speaks_english(desk, label):
    name = label.replace(".", "_")
    for address in (reverse(f"admin:{name}_changelist"), reverse(f"admin:{name}_add")):
        page = desk.get(address)
        if page.status_code == 200:
            assert not ENGLISH.search(page.text), ENGLISH.search(page.text)
