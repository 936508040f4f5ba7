"""An object store that speaks S3: moto’s HTTP server, which checks signatures and knows one key. What it holds is in
its memory: frozen it keeps all, killed it forgets all."""

import sys
from pathlib import Path
from urllib.parse import quote

import boto3
from botocore.config import Config

from deploy.processes import HOST, Server, answers, free_port

REGION = "eu-west-3"
_SET_UP = 3  # requests that need no signature: they make the key


class ObjectStore(Server):
    name = "object-store"

    def __init__(self, folder: Path, *, port: int = 0):
        super().__init__(folder)
        self.port = port or free_port()
        self.access_key = self.secret_key = ""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def address(self, bucket: str) -> str:
        """What ECARE_STORAGE takes."""
        return f"s3://{bucket}?endpoint={quote(self.url, safe='')}&region={REGION}"

    def variables(self, bucket: str) -> dict[str, str]:
        """What a portal is told of it."""
        return {
            "ECARE_STORAGE": self.address(bucket),
            "ECARE_STORAGE_ACCESS_KEY": self.access_key,
            "ECARE_STORAGE_SECRET_KEY": self.secret_key,
        }

    def command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]

    def environment(self) -> dict[str, str]:
        return super().environment() | {"INITIAL_NO_AUTH_ACTION_COUNT": str(_SET_UP)}

    def is_ready(self) -> bool:
        return answers(self.port)

    def wait(self) -> None:
        super().wait()
        self._make_key()

    def _make_key(self) -> None:
        """As many requests as `_SET_UP` says."""
        iam = self._client("iam", "nobody", "nothing")
        iam.create_user(UserName="ecare")
        everything = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
        iam.put_user_policy(UserName="ecare", PolicyName="vault", PolicyDocument=everything)
        key = iam.create_access_key(UserName="ecare")["AccessKey"]
        self.access_key, self.secret_key = key["AccessKeyId"], key["SecretAccessKey"]

    def make_bucket(self, name: str) -> None:
        where = {"LocationConstraint": REGION}
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration=where)

    @property
    def client(self):
        """To look at what it holds."""
        return self._client("s3", self.access_key, self.secret_key)

    def _client(self, service: str, access_key: str, secret_key: str):
        config = Config(signature_version="s3v4" if service == "s3" else "v4", s3={"addressing_style": "path"})
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=config,
        )
