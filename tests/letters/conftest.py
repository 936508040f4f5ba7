import socket
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from ecare.letters.models import Letter


class Sink:
    """A real mail server on a port of its own, which may be stopped and started; it keeps what it accepted."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.mails, self.refusals, self.controller = [], {}, None
        self.meanwhile = None
        """What happens once a mail is accepted, before the answer that says so."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.refusals.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.meanwhile is not None:
            self.meanwhile()
        return "250 OK"

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10)
        self.controller.start()

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None


@pytest.fixture
def sink(settings):
    """The mail server that the settings name; the test starts it."""
    sink = Sink()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", sink.port, 5
    yield sink
    sink.stop()


@pytest.fixture
def write():
    """Puts letters into the outbox."""

    def write_letter(**fields):
        defaults = {
            "name": "submitted",
            "subject": "application:VEHCXTRMWL",
            "recipient": "camille@exemple.fr",
            "title": "Candidature reçue",
            "text": "Bonjour,\n\nVotre dossier est arrivé.",
            "html": "<!DOCTYPE html><html><head></head><body><p>Votre dossier est arrivé.</p></body></html>",
            "created_at": timezone.now(),
        }
        return Letter.objects.create(**(defaults | fields))

    return write_letter
