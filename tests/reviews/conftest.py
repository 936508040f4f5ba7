import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

OBJECTS = [
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
]


def smallest_pdf() -> bytes:
    """One blank page, with a right cross-reference table."""
    body, offsets = b"%PDF-1.4\n", []
    for rank, content in enumerate(OBJECTS, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (rank, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(OBJECTS) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(OBJECTS) + 1) + table + trailer


@pytest.fixture
def pdf():
    """`pdf()`: a new upload of a blank page."""

    def make(name="Convention signée.pdf", content=None):
        return SimpleUploadedFile(name, smallest_pdf() if content is None else content, "application/pdf")

    return make
