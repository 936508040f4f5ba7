"""The key of a FINESS number, and who may apply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from establishments.models import LegalEntity
from establishments.rules import is_finess, may_apply
from tests.factories import finess

DEPARTMENTS = st.sampled_from([*(f"{rank:02d}" for rank in range(1, 96)), "97", "98", "2A", "2B"])
NUMBERS = st.builds(finess, DEPARTMENTS, st.integers(0, 999_999))
CORSICAN = st.builds(finess, st.sampled_from(["2A", "2B"]), st.integers(0, 999_999))


@pytest.mark.parametrize(
    "number",
    [
        "340780477",
        "640020707",
        "340011295",
        "120004528",
        "2A0000014",
        "2A0002614",
        "2B0000020",
        "970100228",
        "010000024",
    ],
)
def test_real_numbers_pass(number):
    assert is_finess(number)


@pytest.mark.parametrize(
    "number",
    [
        *("", "34078047", "3407804770", "340780478", " 340780477", "340780477\n", "34 0780477"),
        *("34O780477", "2C0000014", "2a0000014", "A40780477", "٣٤٠٧٨٠٤٧٧"),
    ],
)
def test_anything_else_does_not(number):
    assert not is_finess(number)


@given(NUMBERS)
def test_a_number_with_its_key_passes(number):
    assert is_finess(number)


@given(NUMBERS, st.integers(2, 8), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(number, place, shift):
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert not is_finess(wrong)


@given(NUMBERS, st.integers(2, 7))
def test_two_neighbours_swapped_are_seen_but_0_and_9(number, place):
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    same = swapped == number or {number[place], number[place + 1]} == {"0", "9"}
    assert is_finess(swapped) == same


@given(CORSICAN)
def test_a_corsican_number_has_the_key_of_the_same_number_with_1_or_2(number):
    assert is_finess(number.replace("A", "1").replace("B", "2"))
    other = number.replace("A", "b").replace("B", "A").replace("b", "B")
    assert not is_finess(other)


@pytest.mark.parametrize(
    ("status", "is_hospital", "is_in_ght", "expected"),
    [
        ("13", True, False, True),  # public, outside any group
        ("30", True, False, True),
        ("13", True, True, False),  # its group applies
        ("13", False, False, False),  # not a hospital
        ("31", True, False, True),  # private from 31 on
        ("73", True, True, True),
        ("73", False, False, False),
        ("", True, False, False),  # neither public nor private
    ],
)
def test_who_may_apply_alone(status, is_hospital, is_in_ght, expected):
    entity = LegalEntity(legal_status=status)
    assert may_apply(entity, is_hospital=is_hospital, is_in_ght=is_in_ght) is expected
