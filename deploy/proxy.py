"""nginx before the portal, configured as in production (deploy/nginx.conf.template)."""

import os
import shutil
import ssl
import subprocess
from pathlib import Path
from string import Template
from typing import ClassVar

import trustme

from deploy.processes import HOST, Server, answers, free_port

HERE = Path(__file__).parent
INSTALL = HERE.parent / "bin" / "nginx"


class Proxy(Server):
    """TLS by a certificate authority of its own, `authority`."""

    name = "proxy"
    names: ClassVar[list[str]] = ["localhost", HOST]

    def __init__(self, folder: Path, *, to: str, port: int = 0):
        super().__init__(folder)
        self.to = to
        self.port, self.plain_port = port or free_port(), free_port()
        self.authority = self.folder / "authority.pem"

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"

    def trusting(self) -> ssl.SSLContext:
        """What a client that trusts `authority` needs."""
        return ssl.create_default_context(cafile=str(self.authority))

    def prepare(self) -> None:
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        # Root's nginx serves as `nobody`, whom folders above may stop.
        if not self.authority.exists():
            self._certify()
        variables = {
            "PROXY_RUN": run,
            "PROXY_TO": self.to,
            "PROXY_HTTP": f"{HOST}:{self.plain_port}",
            "PROXY_HTTPS": f"{HOST}:{self.port}",
            "PROXY_ADDRESS": f"localhost:{self.port}",
            "PROXY_CERTIFICATE": self.folder / "certificate.pem",
            "PROXY_KEY": self.folder / "key.pem",
            "PROXY_PAGES": HERE / "pages",
        }
        text = Template((HERE / "nginx.conf.template").read_text()).safe_substitute(variables)
        (self.folder / "nginx.conf").write_text(text)

    def command(self) -> list[str]:
        program = (
            shutil.which("nginx")
            or subprocess.run([str(INSTALL)], check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        )
        as_root = "user root; " if os.geteuid() == 0 else ""
        started = ["-e", "stderr", "-g", f"{as_root}daemon off;"]
        return [program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), *started]

    def is_ready(self) -> bool:
        return answers(self.port)

    def _certify(self) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert(*self.names)
        certificate.private_key_pem.write_to_path(str(self.folder / "key.pem"))
        (self.folder / "key.pem").chmod(0o600)
        (self.folder / "certificate.pem").write_bytes(b"".join(b.bytes() for b in certificate.cert_chain_pems))
        authority.cert_pem.write_to_path(str(self.authority))
