"""How the simulator writes JSON and reads amounts."""

import json

import pytest

from settlement.lab.insurer.wire import ZERO_DOUBLE, Malformed, Number, encode, parse, read_fen, yuan


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0"), (452, "4.52"), (2510, "25.1"), (20_000, "200.0"), (-2_510, "-25.1"), (-5, "-0.05"), (123, "1.23")],
)
def test_amounts_look_like_those_of_the_real_messages(fen: int, text: str) -> None:
    assert yuan(fen) == text


def test_zero_may_be_written_as_a_double() -> None:
    assert yuan(0, ZERO_DOUBLE) == "0.0"


def test_the_writer_agrees_with_the_standard_reader() -> None:
    value = {"a": Number("4.52"), "b": None, "c": ['文\n"', 1, True, False, {}], "d": {"e": "x"}, "f": 7}
    assert encode(value).startswith('{"a":4.52,"b":null,')
    assert json.loads(encode(value)) == {
        "a": 4.52,
        "b": None,
        "c": ['文\n"', 1, True, False, {}],
        "d": {"e": "x"},
        "f": 7,
    }


def test_the_writer_has_no_floats() -> None:
    with pytest.raises(TypeError, match="float"):
        encode({"a": 1.5})


@pytest.mark.parametrize(
    ("value", "fen"), [("1286.50", 128_650), (9, 900), (Number("4.520"), 452), ("", 0), (None, 0), ("-3.1", -310)]
)
def test_amounts_are_read_exactly(value: object, fen: int) -> None:
    assert read_fen(value) == fen


@pytest.mark.parametrize("value", ["1.234", "abc", "NaN", "Infinity", True, [], 1.5])
def test_what_is_not_whole_fen_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        read_fen(value)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)
