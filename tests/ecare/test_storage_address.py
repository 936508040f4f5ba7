"""ECARE_STORAGE: a folder or a bucket; anything else stops the start with one sentence that names the variable."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from ecare.storage_address import storage_of
from evidence import buckets

BUCKET = "s3://vault?endpoint=https://objets.exemple.fr:9000&region=fr-par"


def read(address, **given):
    return storage_of(address, **({"access_key": "a", "secret_key": "b", "authorities": ""} | given))


def test_a_folder():
    found = read("file:///srv/ecare/vault%20un")
    assert found["BACKEND"] == "evidence.storage.VaultStorage"
    assert found["OPTIONS"]["location"] == "/srv/ecare/vault un"
    assert found["OPTIONS"]["creates_folder"] is False
    assert found["OPTIONS"]["file_permissions_mode"] == 0o600


def test_a_bucket(tmp_path):
    authorities = tmp_path / "ca.pem"
    authorities.touch()
    options = read(BUCKET, authorities=str(authorities))["OPTIONS"]
    assert options == {
        "bucket_name": "vault",
        "endpoint_url": "https://objets.exemple.fr:9000",
        "region_name": "fr-par",
        "access_key": "a",
        "secret_key": "b",
        "verify": str(authorities),
    }
    assert read("s3://vault?endpoint=http://minio:9000")["OPTIONS"]["region_name"] == "us-east-1"
    assert read(BUCKET)["OPTIONS"]["verify"] is True


@pytest.mark.parametrize(
    "address",
    [
        "",
        "vault",
        "/srv/ecare/vault",
        "file://srv/ecare/vault",
        "file:///",
        "file:srv",
        "file:///srv/ecare?region=x",
        "s3://vault",
        "s3://?endpoint=https://objets.exemple.fr",
        "s3://Vault?endpoint=https://objets.exemple.fr",
        "s3://vault/folder?endpoint=https://objets.exemple.fr",
        "s3://key:secret@vault?endpoint=https://objets.exemple.fr",
        "s3://vault?endpoint=objets.exemple.fr",
        "s3://vault?endpoint=ftp://objets.exemple.fr",
        "s3://vault?endpoint=http://objets.exemple.fr",
        "s3://vault?endpoint=http://10.0.0.7:9000",
        "s3://vault?endpoint=https://objets.exemple.fr/folder",
        "s3://vault?endpoint=https://objets.exemple.fr:port",
        "s3://vault?endpoint=https://key:secret@objets.exemple.fr",
        "s3://vault?endpoint=https://objets.exemple.fr&reigon=fr",
        "s3://vault?endpoint=https://a.fr&endpoint=https://b.fr",
        "s3://vault?endpoint",
        "gs://vault",
    ],
)
def test_anything_else_is_refused(address):
    with pytest.raises(ImproperlyConfigured, match="ECARE_STORAGE"):
        read(address)


@pytest.mark.parametrize("given", [{"access_key": ""}, {"secret_key": ""}, {"authorities": "/nowhere/ca.pem"}])
def test_a_bucket_without_its_key_or_authorities_is_refused(given):
    with pytest.raises(ImproperlyConfigured, match="ECARE_STORAGE_"):
        read(BUCKET, **given)


def test_the_longest_wait_is_shorter_than_that_of_a_web_server():
    """Gunicorn ends a request after 30 seconds."""
    assert (buckets.CONNECTING + buckets.ANSWERING) * buckets.ATTEMPTS < 28


def test_the_library_keeps_to_what_was_decided():
    config = buckets.BucketStorage(**read(BUCKET)["OPTIONS"]).client_config
    assert config.signature_version == "s3v4"
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.retries["total_max_attempts"] == 2
