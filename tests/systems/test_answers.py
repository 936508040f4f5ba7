"""What the API says: as its document describes, equal to the database, and nothing of anybody."""

import json
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications.models import Application, Domain
from applications.states import State
from funding.models import Commitment, Decision, Payment
from systems import openapi
from systems.readers import represent
from tests.factories import DomainFactory
from tests.systems.conftest import dossiers
from tests.systems.schema import faults
from tests.world import World

pytestmark = pytest.mark.django_db
CANARY = "CANARI"
# What a dossier shows, and what holds the portal together.
SHOWN = {
    "Region", "Department", "LegalEntity", "Ght", "Establishment", "Domain", "Site", "Entry", "Chain",
}  # fmt: skip


@pytest.fixture
def world(db):
    found = World(1)
    Application.objects.update(moved_at=timezone.now() - timedelta(hours=1))
    return found


def answers(read, value) -> dict[str, object]:
    found = {path: read(value, path) for path in ("dossiers", "statistics", "domains")}
    for dossier in Application.objects.all():
        found[f"dossiers/{dossier.reference}"] = read(value, f"dossiers/{dossier.reference}")
    return found


def schema_of(document, path, status) -> dict:
    template = re.sub(r"dossiers/\w+", "dossiers/{reference}", path)
    response = document["paths"][f"/api/v1/{template}"]["get"]["responses"][str(status)]
    return response["content"]


def test_every_answer_is_what_the_document_says_and_tells_of_nobody(read, issue, world):
    filled = fill_with_canaries()
    assert len(filled) > 60 and {"accounts.User.last_name", "applications.Submission.content"} <= filled
    _, value = issue()
    document = openapi.document()
    seen = set()
    for path, answer in answers(read, value).items():
        kind = answer["Content-Type"].partition(";")[0]
        content = schema_of(document, path, answer.status_code)
        assert faults(answer.json(), content[kind]["schema"], document) == [], path
        assert CANARY not in answer.text and CANARY not in str(answer.headers), path
        seen.add(answer.status_code)
    assert seen == {200, 404}
    assert len(read(value, "dossiers").json()["items"]) == len(world.dossiers) - 1, "all but the draft"


def fill_with_canaries() -> set[str]:
    """Every text that somebody may have typed anywhere."""
    filled = set()
    rooms = {"accounts", "applications", "evidence", "funding", "conventions", "reviews", "exports", "letters"}
    for model in apps.get_models():
        if model._meta.app_label not in rooms or model.__name__ in SHOWN:
            continue
        for field in model._meta.get_fields():
            if not isinstance(field, models.CharField | models.TextField | models.JSONField) or not field.concrete:
                continue
            if field.choices or field.unique or field.name in ("state", "reference") or field.generated:
                continue
            long_enough = field.max_length or 99
            text = [CANARY] if isinstance(field, models.JSONField) else CANARY[:long_enough]
            try:
                with transaction.atomic():
                    if model._base_manager.update(**{field.name: text}):
                        filled.add(f"{model._meta.app_label}.{model.__name__}.{field.name}")
            except DatabaseError:  # a constraint: what stands there is chosen, not typed
                continue
    return filled


def test_the_canaries_would_be_seen(read, issue, world):
    """Where the API does show a text, the search finds it."""
    Domain.objects.update(summary=CANARY)
    domain = world.dossiers["submitted"].domain
    Domain.objects.filter(pk=domain.pk).update(name=CANARY)
    assert CANARY in read(issue()[1], "dossiers").text


def test_amounts_are_those_of_the_database(read, issue, world):
    _, value = issue()
    told = {one["reference"]: one["amounts"] for one in read(value, "dossiers").json()["items"]}
    assert len(told) >= 7
    for dossier in Application.objects.filter(reference__in=told):
        commitment = Commitment.objects.filter(application=dossier).first()
        decision = Decision.objects.filter(application=dossier).exclude(validated_at=None).first()
        payment = Payment.objects.filter(application=dossier).first()
        assert told[dossier.reference] == {
            "requested": dossier.requested or None,
            "ceiling": commitment and commitment.ceiling,
            "committed": commitment.amount if commitment and commitment.released_at is None else None,
            "accepted": decision and decision.accepted,
            "granted": decision and decision.amount,
            "paid": payment and payment.amount,
        }
    validated = told[world.dossiers["validated"].reference]
    assert validated["granted"] > 0 and validated["committed"] > 0
    unfinished = told[world.dossiers["under_control"].reference]
    assert unfinished["granted"] is None, "what the ANS prepares is not told"
    rows = read(value, "statistics").json()["items"]
    total = sum(row["amounts"]["committed"] + row["amounts"]["validated"] + row["amounts"]["paid"] for row in rows)
    decided = Decision.objects.exclude(validated_at=None)
    expected = decided.aggregate(Sum("amount"))["amount__sum"]
    live = Commitment.objects.live().exclude(application__in=decided.values("application"))
    assert total == expected + live.aggregate(Sum("amount"))["amount__sum"]


def test_dates_follow_the_life_of_a_dossier(read, issue, world):
    _, value = issue()
    told = {one["state"]["code"]: one["dates"] for one in read(value, "dossiers").json()["items"]}
    assert told["submitted"]["decided_at"] is None and told["changes_requested"]["decided_at"] is None
    assert told["accepted"]["decided_at"] and told["accepted"]["convention_signed_on"] is None
    assert told["rejected"]["decided_at"] and told["rejected"]["ended_at"]
    assert told["under_control"]["convention_signed_on"] and told["under_control"]["declaration_submitted_at"]
    assert told["validated"]["validated_at"] and told["validated"]["ended_at"] is None


def test_what_was_never_sent_is_never_told(world):
    with pytest.raises(ValueError, match="never sent"):
        represent(Application.objects.filter(state=State.DRAFT), with_amounts=False)


def test_errors_are_what_the_document_says(read, issue):
    document = openapi.document()
    [dossier] = dossiers(1)
    value, narrow = issue()[1], issue(scopes=["statistics"])[1]
    asked = [
        (read(None, "domains"), "domains", 401),
        (read(narrow, "dossiers"), "dossiers", 403),
        (read(value, "dossiers/AAAAAAAAAA"), "dossiers/AAAAAAAAAA", 404),
        (read(value, "dossiers", limit=0), "dossiers", 422),
        (read(value, f"dossiers/{dossier.reference}", limit=1), f"dossiers/{dossier.reference}", 422),
        (read(value, "statistics", token="ecare_x"), "statistics", 400),
        (Client().post("/api/v1/domains"), "domains", 405),
    ]
    for answer, path, status in asked:
        assert answer.status_code == status
        content = schema_of(document, path, status)["application/problem+json"]["schema"]
        assert faults(answer.json(), content, document) == []
        target, _, anchor = answer.json()["type"].partition("#")
        assert f'id="{anchor}"' in Client().get(target).text


def test_a_parameter_that_is_not_one_is_refused(read, issue):
    """A filter that is misspelt would read more than was meant."""
    _, value = issue()
    for path in ("dossiers", "statistics", "domains", "dossiers/AAAAAAAAAA"):
        answer = read(value, path, etat="paid")
        assert answer.status_code == 422 and answer.json()["errors"][0]["name"] == "etat", path
    assert "une seule fois" in read(value, "dossiers", kind=["ght", "public"]).json()["detail"]
    assert "draft" not in read(value, "dossiers", state="draft").json()["detail"].partition(":")[2]


# --- the document -------------------------------------------------------------------------------------------------
def test_the_document_is_whole_and_in_french():
    answer = Client().get("/api/v1/openapi.json")
    document = answer.json()
    assert answer.status_code == 200 and document == json.loads(json.dumps(openapi.document()))
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        f"/api/v1/{p}" for p in ("dossiers", "dossiers/{reference}", "statistics", "domains")
    }
    schemas = document["components"]["schemas"]
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert used == set(schemas)
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(set(path) == {"get"} for path in document["paths"].values())
    for operation in operations:
        assert operation["security"] == [{"TokenBearer": []}]
        assert all(one.get("description") for one in operation["parameters"] if one["in"] == "query")
        assert {"200", "400", "401", "405", "422", "429", "500"} <= set(operation["responses"])
    assert len({one["operationId"] for one in operations}) == 4
    for name, schema in schemas.items():
        assert schema["additionalProperties"] is False, name
        for field, described in schema["properties"].items():
            assert described.get("description"), f"{name}.{field}"
    assert document["components"]["securitySchemes"]["TokenBearer"]["scheme"] == "bearer"


def test_the_page_is_made_of_the_document(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        page = client.get(reverse("systems:documentation")).text
    for reading in openapi.readings():
        assert f'id="{reading.anchor}"' in page and reading.address in page
        for row in [*reading.parameters, *reading.fields]:
            assert f"<code>{row.name}</code>" in page
    assert 'id="erreur-429"' in page and "120 lectures par minute" in page
    assert "<script" not in page.partition("<main")[2].partition("</main>")[0]


def test_a_fault_of_ours_is_said_and_tells_nothing(read, issue, monkeypatch, caplog):
    _, value = issue()
    monkeypatch.setattr("systems.readers._dossier", lambda *_args, **_kw: 1 / 0)
    dossiers(1)
    DomainFactory()
    answer = read(value, "dossiers")
    assert answer.status_code == 500 and "ZeroDivision" not in answer.text
    assert answer.json()["status"] == 500
    assert value not in caplog.text and "could not be answered" in caplog.text
