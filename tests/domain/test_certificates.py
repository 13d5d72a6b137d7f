"""Certificates and names in one spelling."""

from __future__ import annotations

from datetime import date

import pytest

from settlement.domain.bills import Certificate
from settlement.domain.certificates import age_on, birth_date, check_digit, is_masked, names_agree, normalised, sex


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        pytest.param("1", "110101199003070038", ("01", "110101199003070038"), id="one_digit_type"),
        pytest.param("01", "44052418800101001x", ("01", "44052418800101001X"), id="lower_case_x"),
        pytest.param(None, "１１０１０１１９９００３０７００３８", ("01", "110101199003070038"), id="full_width"),
        pytest.param("", " 110101 19900307\t0038 ", ("01", "110101199003070038"), id="white_space"),
        pytest.param("01", "110105491231002", ("01", "11010519491231002X"), id="fifteen_digits"),
        pytest.param("01", "110105491331002", ("01", "110105491331002"), id="fifteen_digits_without_a_birthday"),
        pytest.param("01", "110105200229001", ("01", "110105192002290016"), id="fifteen_digits_of_a_leap_day"),
        pytest.param("01", "110105730229001", ("01", "110105730229001"), id="fifteen_digits_of_no_leap_day"),
        pytest.param("01", "110105490431002", ("01", "110105490431002"), id="fifteen_digits_of_no_such_day"),
        pytest.param("01", "١١٠١٠٥٤٩١٢٣١٠٠٢", ("01", "١١٠١٠٥٤٩١٢٣١٠٠٢"), id="fifteen_digits_of_another_script"),
        pytest.param("04", "h12345678", ("04", "H12345678"), id="another_certificate"),
        pytest.param("08", "110105491231002", ("08", "110105491231002"), id="fifteen_digits_of_a_passport"),
    ],
)
def test_certificates_have_one_spelling(kind, number, expected):
    assert normalised(kind, number) == Certificate(*expected)


def test_the_check_digit_is_that_of_the_standard():
    assert check_digit("11010519491231002") == "X"
    assert check_digit("44052418800101001") == "4"


@pytest.mark.parametrize("first", ["1101054912310", "110105194912310021"])
def test_a_check_digit_is_that_of_seventeen_digits_and_nothing_else(first):
    with pytest.raises(ValueError, match="zip"):
        check_digit(first)


@pytest.mark.parametrize(
    "number", ["130302********0023", "130302＊＊＊＊＊＊＊＊0023", "130302XXXXXXXX0023", "1303●●0023"]
)
def test_covered_numbers_are_masked(number):
    assert is_masked(number)


@pytest.mark.parametrize("number", ["11010519491231002X", "110101199003070038", "H12345678", "x"])
def test_whole_numbers_are_not_masked(number):
    assert not is_masked(number)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉买买提"),
        ("阿卜杜拉・买买提", "阿卜杜拉．买买提"),
        ("张 三", "张三"),
        ("张　三", "张三"),
        ("Ａnna Ｌi", "ANNA LI"),
    ],
)
def test_spellings_of_one_name_agree(one, other):
    assert names_agree(one, other)
    assert names_agree(other, one)


def test_other_names_disagree():
    assert not names_agree("张三", "张山")
    assert not names_agree("张三", "张三丰")


@pytest.mark.parametrize(
    ("kind", "number", "born", "of"),
    [
        pytest.param("01", "110101199003070038", date(1990, 3, 7), "male", id="a_man"),
        pytest.param("01", "11010519491231002X", date(1949, 12, 31), "female", id="a_woman"),
        pytest.param("01", "110101199002300038", None, "male", id="no_such_day"),
        pytest.param("01", "110101199003070", None, None, id="fifteen_digits"),
        pytest.param("08", "110101199003070038", None, None, id="a_passport"),
    ],
)
def test_an_identity_number_says_when_somebody_was_born_and_which_sex(kind, number, born, of):
    assert (birth_date(Certificate(kind, number)), sex(Certificate(kind, number))) == (born, of)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(1990, 3, 7), date(2026, 3, 6), 35),
        (date(1990, 3, 7), date(2026, 3, 7), 36),
        (date(1990, 3, 7), date(2026, 2, 28), 35),
        (date(1990, 3, 7), date(2026, 4, 1), 36),
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
    ],
)
def test_whole_years_are_counted_on_birthdays(born, day, age):
    assert age_on(born, day) == age
