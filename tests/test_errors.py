"""Errors say what was wrong, where, and the mend; unknown names get the nearest valid one."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachwhy import errors
from teachwhy.errors import FirewallError, StoreError, TeachwhyError, UserError, nearest

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TeachwhyError)]


def test_an_error_has_three_lines() -> None:
    error = StoreError("it cannot be written", where="a/b", mend="free some space")
    assert str(error).splitlines() == ["it cannot be written", "  where: a/b", "  mend:  free some space"]
    assert str(StoreError("it cannot be written")) == "it cannot be written"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_exit_code_says_whose_turn_it_is(kind: type[TeachwhyError]) -> None:
    assert kind.exit_code == (2 if issubclass(kind, UserError) else 1)
    assert kind.__doc__


def test_an_error_crosses_a_process() -> None:
    error = FirewallError("refused", where="record-1", mend="rewrite it")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.where, again.mend) == (FirewallError, str(error), "record-1", "rewrite it")


@pytest.mark.parametrize(
    ("name", "choices", "said"),
    [
        ("blckmail", ["blackmail", "leaking"], "did you mean 'blackmail'? (known: blackmail, leaking)"),
        ("laeking", ["blackmail", "leaking"], "did you mean 'leaking'? (known: blackmail, leaking)"),
        ("zzzz", ["b", "a"], "known: a, b"),
        ("x", [], "there are none"),
        ("", ["a"], "known: a"),
    ],
)
def test_the_nearest_name(name: str, choices: list[str], said: str) -> None:
    assert nearest(name, choices) == said


NAMES = st.text("abcdefghij-", min_size=5, max_size=12)


@given(choices=st.lists(NAMES, min_size=1, max_size=5, unique=True), data=st.data())
def test_one_slip_of_the_pen_is_understood(choices: list[str], data: st.DataObject) -> None:
    meant = data.draw(st.sampled_from(choices))
    at = data.draw(st.integers(0, len(meant) - 1))
    slipped = meant[:at] + "z" + meant[at + 1 :]
    assert "did you mean" in nearest(slipped, choices)
    assert meant in nearest(slipped, choices)
