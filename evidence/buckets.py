"""The vault in a bucket of an object store that speaks S3.

Written in one request, or in parts that become an object only once they are all there; read by ranges, a few segments
at a time, so that a large file needs neither memory nor a copy on a disk, and a store that is restarted in the middle
of a download breaks nothing. Objects are sealed: the store holds no key, and no link to it is ever given out.
"""

import base64
import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError, ResponseStreamingError
from storages.backends.s3 import S3Storage

from evidence.storage import UNFINISHED, NoAddress, StoreDown

PART = 8 * 1024 * 1024  # of what is written: one is in memory at a time
MOST_PARTS = 10_000
AHEAD = 4 * 1024 * 1024  # of what is read, likewise
CONNECTING, ANSWERING, ATTEMPTS = 3, 10, 2  # seconds, and how often a request is made
ABSENT = ("NoSuchKey", "NoSuchUpload", "404")
EMPTY = ("InvalidRange", "416")


class BucketStorage(NoAddress, S3Storage):
    """See `evidence.storage` for what is promised. The store needs: get, put, delete, list, multipart uploads."""

    def __init__(self, *, answering: float = ANSWERING, **options):
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=min(CONNECTING, answering),
            read_timeout=answering,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Checksums of Amazon’s own kind are refused by older stores; each write carries its MD5 instead.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(client_config=config, default_acl="private", **options)
        self._line = Line()

    @property
    def _client(self):
        return self.connection.meta.client

    def check(self) -> None:
        """Whether it answers, knows us and has the bucket. Raises StoreDown."""
        with self._asked(""):
            self._client.list_objects_v2(Bucket=self.bucket_name, MaxKeys=1)

    def names(self) -> Iterator[str]:
        """Everything that it holds, a thousand at a time."""
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name))
        page: dict | None = {}
        while page is not None:
            yield from (entry["Key"] for entry in page.get("Contents", ()))
            with self._asked(""):
                page = next(pages, None)
        with self._asked(""):
            unfinished = self._unfinished()
        yield from (f"{one['Key']}{UNFINISHED}" for one in unfinished)

    def _unfinished(self, name: str = "") -> list[dict]:
        """Uploads in parts that never became an object; of one name, with its ending, or of all."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket_name)
        key = name.removesuffix(UNFINISHED)
        return [one for page in pages for one in page.get("Uploads", ()) if key in ("", one["Key"])]

    # --- read ---
    def _open(self, name, mode="rb"):
        return RangedFile(name, self._range)

    def _range(self, name: str, start: int, length: int) -> tuple[bytes, int]:
        """These bytes, and the size of the whole. Raises FileNotFoundError or StoreDown."""
        with self._asked(name):
            try:
                return self._read(name, start, length)
            except (ResponseStreamingError, IncompleteReadError):  # in the middle of it, which the library leaves to us
                return self._read(name, start, length)

    def _read(self, name: str, start: int, length: int) -> tuple[bytes, int]:
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            answer = self._client.get_object(Bucket=self.bucket_name, Key=name, Range=wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] in EMPTY:
                return b"", 0
            raise
        with answer["Body"] as body:
            said = answer.get("ContentRange", "")
            if not said and start:
                raise StoreDown("the store does not read by ranges")
            size = int(said.rpartition("/")[2]) if said else answer["ContentLength"]
            return body.read(min(length, size - start)), size

    def exists(self, name):
        """Asked of the list: an answer to HEAD does not tell a missing object from a missing bucket."""
        with self._asked(name):
            found = self._client.list_objects_v2(Bucket=self.bucket_name, Prefix=name, MaxKeys=1).get("Contents", ())
        return any(entry["Key"] == name for entry in found)

    def size(self, name):
        with self._asked(name):
            return self._client.head_object(Bucket=self.bucket_name, Key=name)["ContentLength"]

    def listdir(self, path):
        with self._asked(path):
            return super().listdir(path)

    def get_modified_time(self, name) -> datetime:
        with self._asked(name):
            if not name.endswith(UNFINISHED):
                return self._client.head_object(Bucket=self.bucket_name, Key=name)["LastModified"]
            begun = [one["Initiated"] for one in self._unfinished(name)]
        if not begun:
            raise FileNotFoundError(name)
        return max(begun)

    # --- write ---
    def get_available_name(self, name, max_length=None):
        """As it is: names are drawn at random."""
        return name

    def _save(self, name, content):
        with self._asked(name):
            content.seek(0)
            length = max(PART, -(-content.size // MOST_PARTS))
            first = content.read(length)
            if content.size <= length:
                self._client.put_object(
                    Bucket=self.bucket_name, Key=name, Body=first, ContentMD5=_md5(first), **self._written(name)
                )
            else:
                self._save_in_parts(name, content, first)
        return name

    def _written(self, name: str) -> dict:
        return self._get_write_parameters(name)

    def _save_in_parts(self, name: str, content, part: bytes) -> None:
        place = {"Bucket": self.bucket_name, "Key": name}
        begun = self._client.create_multipart_upload(**place, **self._written(name))
        place["UploadId"] = begun["UploadId"]
        length, kept = len(part), []
        try:
            while part:
                number = len(kept) + 1
                answer = self._client.upload_part(**place, PartNumber=number, Body=part, ContentMD5=_md5(part))
                kept.append({"PartNumber": number, "ETag": answer["ETag"]})
                part = content.read(length)
            self._client.complete_multipart_upload(**place, MultipartUpload={"Parts": kept})
        except (BotoCoreError, ClientError):
            raise  # it does not answer now: the sweep takes what has come
        except BaseException:
            self._client.abort_multipart_upload(**place)
            raise

    def delete(self, name):
        with self._asked(name):
            if not name.endswith(UNFINISHED):
                self._client.delete_object(Bucket=self.bucket_name, Key=name)
                return
            for one in self._unfinished(name):
                place = {"Bucket": self.bucket_name, "Key": one["Key"], "UploadId": one["UploadId"]}
                self._client.abort_multipart_upload(**place)

    @contextmanager
    def _asked(self, name: str) -> Iterator[None]:
        """What the library raises, in the words of the vault."""
        with self._line.taken():
            try:
                yield
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in ABSENT:
                    raise FileNotFoundError(name) from error
                raise StoreDown(code) from error
            except BotoCoreError as error:
                raise Silent(type(error).__name__) from error
            except FileNotFoundError:
                raise
            except OSError as error:  # of the disk that is read from
                raise StoreDown(error.strerror or str(error)) from error


class Silent(StoreDown):
    """No answer at all."""


class Line:
    """Who may ask a store that fell silent: one at a time, the others are told at once. Otherwise every thread of the
    portal would wait for it, and nobody would be served any page."""

    PATIENCE = 1  # seconds for another’s answer

    def __init__(self):
        self._is_silent = False
        self._turn = threading.RLock()  # one step may take another

    @contextmanager
    def taken(self) -> Iterator[None]:
        if not self._is_silent:
            with self._listening():
                yield
            return
        if not self._turn.acquire(timeout=self.PATIENCE):
            raise StoreDown("silent")
        try:
            with self._listening():
                yield
        finally:
            self._turn.release()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        try:
            yield
        except Silent:
            self._is_silent = True
            raise
        except (StoreDown, FileNotFoundError):
            self._is_silent = False  # it said no
            raise
        self._is_silent = False


class RangedFile(io.BufferedIOBase):
    """An object that is read by ranges: seekable, a few segments in memory."""

    def __init__(self, name: str, read_range):
        self.name, self._range = name, read_range
        self._position = self._start = 0
        self._held, self.size = read_range(name, 0, AHEAD)

    def read(self, size: int | None = -1, /) -> bytes:
        left = self.size - self._position
        wanted = max(0, left if size is None or size < 0 else min(size, left))
        pieces = []
        while wanted > 0:
            offset = self._position - self._start
            if not 0 <= offset < len(self._held):
                self._held, _size = self._range(self.name, self._position, AHEAD)
                self._start, offset = self._position, 0
                if not self._held:
                    break  # it has become shorter
            piece = self._held[offset : offset + wanted]
            pieces.append(piece)
            self._position += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def chunks(self) -> Iterator[bytes]:
        """As Django’s own files."""
        self.seek(0)
        while piece := self.read(AHEAD):
            yield piece

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._held = b""
        super().close()


def _md5(content: bytes) -> str:
    """What S3 calls Content-MD5: the store refuses what arrives otherwise."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
