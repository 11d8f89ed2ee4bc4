"""Canonical JSON: the RFC's own example as far as it holds no fractions, sorting by UTF-16, and what is refused."""

from __future__ import annotations

import pytest

from appliance.crypto.canonical import canonical


def test_strings_and_literals_of_the_rfc() -> None:
    # RFC 8785, 3.2.2 and 3.2.3: the example's string and literals.
    value = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
    assert canonical(value) == (
        b'{"literals":[null,true,false],"string":"' + "\u20ac".encode() + b'$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_sort_by_utf16_as_in_the_rfc() -> None:
    # RFC 8785, 3.2.3: the sorting example.
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = ["Carriage Return", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"]
    text = canonical(value).decode()
    places = [text.index(word) for word in order]
    assert places == sorted(places)


def test_the_same_value_has_one_form_whatever_its_order() -> None:
    assert canonical({"b": [1, {"d": 2, "c": 3}], "a": ""}) == canonical({"a": "", "b": [1, {"c": 3, "d": 2}]})
    assert canonical((1, 2)) == b"[1,2]"


@pytest.mark.parametrize("value", [0.5, {"x": 1.0}, 2**53, -(2**53), {1: "x"}, b"bytes", {"x": {1, 2}}])
def test_what_has_no_agreed_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="canonical"):
        canonical(value)


def test_the_largest_integers_pass() -> None:
    assert canonical([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"
