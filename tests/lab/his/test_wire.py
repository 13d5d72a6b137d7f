"""How the billing system reads and writes JSON and money."""

from decimal import Decimal

import pytest

from settlement.lab.his.wire import fen_of, read_json, write_json, yuan


def test_numbers_keep_their_digits() -> None:
    text = '{"a":4.52,"b":0.0,"c":0,"d":-25.1,"e":null,"f":[true,"文"],"g":{}}'
    value = read_json(text)
    assert value["a"] == Decimal("4.52")
    assert write_json(value) == text


def test_floats_are_not_written() -> None:
    with pytest.raises(TypeError, match="float"):
        write_json({"a": 1.5})


def test_amounts_go_there_and_back() -> None:
    for fen, text in [(0, "0.00"), (5, "0.05"), (-310, "-3.10"), (128_650, "1286.50")]:
        assert yuan(fen) == text
        assert fen_of(text) == fen
    assert fen_of(None) == 0
    with pytest.raises(ValueError, match="not whole fen"):
        fen_of("0.001")
