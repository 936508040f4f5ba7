"""ECARE_STORAGE read: where the vault lies, as Django's STORAGES names it."""

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

FORM = (
    "ECARE_STORAGE takes file:///srv/ecare/vault or s3://bucket?endpoint=https://host:port&region=name, "
    "special characters percent-encoded"
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def storage_of(address: str, *, access_key: str, secret_key: str, authorities: str) -> dict:
    """Backend and options. Raises ImproperlyConfigured."""
    try:
        parts = urlsplit(address)
        asked = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError as error:
        raise ImproperlyConfigured(f"{FORM}: {error}.") from None
    if parts.scheme == "file":
        return _folder(parts, asked)
    if parts.scheme == "s3":
        return _bucket(parts, asked, access_key=access_key, secret_key=secret_key, authorities=authorities)
    raise ImproperlyConfigured(f"{FORM}.")


def folder(location: Path, *, creates_folder: bool) -> dict:
    modes = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    options = modes | {"location": str(location), "creates_folder": creates_folder}
    return {"BACKEND": "evidence.storage.VaultStorage", "OPTIONS": options}


def _folder(parts, asked: dict) -> dict:
    path = Path(unquote(parts.path))
    if parts.netloc or asked or not path.is_absolute() or path == Path("/"):
        raise ImproperlyConfigured(f"{FORM}: a folder has an absolute path and nothing else.")
    return folder(path, creates_folder=False)


def _bucket(parts, asked: dict, *, access_key: str, secret_key: str, authorities: str) -> dict:
    if not _BUCKET.fullmatch(parts.netloc) or parts.path not in ("", "/"):
        raise ImproperlyConfigured(f"{FORM}: no bucket is called {parts.hostname}{parts.path}.")
    unknown = sorted(asked.keys() - {"endpoint", "region"})
    if unknown or any(len(values) > 1 for values in asked.values()):
        raise ImproperlyConfigured(f"{FORM}: endpoint and region, once each, and nothing else.")
    [endpoint] = asked.get("endpoint", [""])
    [region] = asked.get("region", ["us-east-1"])
    _check_endpoint(endpoint)
    if not (access_key and secret_key):
        raise ImproperlyConfigured("An object store takes ECARE_STORAGE_ACCESS_KEY and ECARE_STORAGE_SECRET_KEY.")
    if authorities and not Path(authorities).is_file():
        raise ImproperlyConfigured("ECARE_STORAGE_CA names a file (PEM) of certificate authorities that is not there.")
    options = {
        "bucket_name": parts.netloc,
        "endpoint_url": endpoint,
        "region_name": region,
        "access_key": access_key,
        "secret_key": secret_key,
        "verify": authorities or True,
    }
    return {"BACKEND": "evidence.buckets.BucketStorage", "OPTIONS": options}


def _check_endpoint(endpoint: str) -> None:
    """Plain HTTP stays on this machine, or among the containers of one network, whose names have no dot."""
    try:
        parts = urlsplit(endpoint)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    is_near = host == "127.0.0.1" or (host != "" and "." not in host and ":" not in host)
    if not host or parts.path not in ("", "/") or parts.query or parts.username or parts.fragment:
        raise ImproperlyConfigured(f"{FORM}: the endpoint is an address without path.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_near):
        raise ImproperlyConfigured(f"{FORM}: the endpoint starts with https:// (http:// only beside the portal).")
