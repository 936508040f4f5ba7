import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from demo import specimens

PDF = specimens.pdf(line="Convention de financement")


@pytest.fixture
def pdf():
    """`pdf()`: a new upload of a signed convention."""

    def make(name="Convention signée.pdf", content=PDF):
        return SimpleUploadedFile(name, content, "application/pdf")

    return make
