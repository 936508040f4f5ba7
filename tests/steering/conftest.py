import pytest
import time_machine

from tests.factories import RegionFactory, UserFactory
from tests.steering.worlds import NOW


@pytest.fixture(autouse=True)
def now():
    """A Saturday of November, whose week is the 47th; what is kept for some minutes is forgotten between visits."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def ars(signed_in):
    return signed_in(UserFactory(ars=True, regions=[RegionFactory(code="76")]))


@pytest.fixture
def ans(signed_in):
    return signed_in(UserFactory(ans=True))
