"""What could open something is never shown: wherever it stands in the answers, and whatever it is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from provisioning.install import answers
from provisioning.install.commands import SECRET, masked

secret = st.text(min_size=8, alphabet="abcdefXYZ0123$/.").map(lambda text: f"<<{text}>>")
shown = st.one_of(st.integers(), st.text(alphabet="ghijk", max_size=8), st.none())
tables = st.recursive(
    st.one_of(shown, st.fixed_dictionaries({}, optional={SECRET[0]: secret, "name": shown})),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(alphabet="lmnop", min_size=1, max_size=4), inner, max_size=3),
        st.fixed_dictionaries({SECRET[0]: st.one_of(secret, st.lists(secret, max_size=2)), "below": inner}),
    ),
    max_leaves=12,
)


@given(tables)
def test_no_secret_is_shown_however_deep_it_lies(content: Any) -> None:
    assert "<<" not in json.dumps(masked(content))


@given(tables)
def test_everything_else_is_shown_as_it_is(content: Any) -> None:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(inner) for key, inner in value.items() if key not in SECRET}
        return [without(one) for one in value] if isinstance(value, list) else value

    assert without(masked(content)) == without(content)


def _fields(kind: Any) -> set[str]:
    """Every key that answers can have, at any depth."""
    found: set[str] = set()
    for field in msgspec.structs.fields(kind):
        inner = answers._struct(field.type)
        found |= _fields(inner) if inner else {field.name}
    return found


def test_every_answer_that_could_be_a_secret_is_on_the_list() -> None:
    """A file's path is none, and a public key is none; anything else with such a name must be masked."""
    words = ("password", "secret", "token", "private", "passphrase", "hash")
    suspicious = {name for name in _fields(answers.Answers) if any(word in name for word in words)}
    assert suspicious - set(SECRET) == {name for name in suspicious if name.endswith("_file")}
    assert "password_hash" in suspicious  # the control: the list is not empty by mistake
