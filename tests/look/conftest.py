import pytest


@pytest.fixture(scope="session")
def base_url():
    """Takes the place of pytest-base-url's own, which pytest 9 warns about."""
    return ""
