import pytest

from tests.ecare.lines import listening


@pytest.fixture
def lines():
    """All that is logged during the test, as production writes it."""
    handler, stop = listening()
    yield handler
    stop()
