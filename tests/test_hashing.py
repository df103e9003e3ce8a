"""Addresses: the same value always has the same one, and another value another."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachwhy.hashing import canonical, digest, file_digest, folder_digest, json_line, seed_of

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


def shuffled(value: Any, deal: random.Random) -> Any:
    """The same value with the keys of every dict in another order."""
    if isinstance(value, dict):
        keys = deal.sample(list(value), len(value))
        return {key: shuffled(value[key], deal) for key in keys}
    return [shuffled(inner, deal) for inner in value] if isinstance(value, list) else value


@given(value=VALUES, deal=st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value: Any, deal: random.Random) -> None:
    other = shuffled(value, deal)
    assert canonical(value) == canonical(other)
    assert json.loads(canonical(value)) == value
    assert json_line(json.loads(json_line(other))) == json_line(other)


@given(one=VALUES, other=VALUES)
def test_another_value_has_another_address(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (canonical(one) == canonical(other))
    # 1, 1.0 and True are equal in Python; unequal values never share an address.
    assert digest(one) != digest(other) or one == other


def test_order_in_lists_matters() -> None:
    assert digest([1, 2]) != digest([2, 1])


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: {"a": [n]}], ids=["bare", "inside"])
def test_what_is_no_number_is_refused(number: float, wrap: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest(wrap(number))
    with pytest.raises(ValueError, match="JSON"):
        json_line(wrap(number))


@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, [{"a": {2.5: 1}}], {1, 2}, b"x", object()])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        digest(value)


def test_one_known_address() -> None:
    """Addresses outlive versions: a change here makes every store start again."""
    assert digest({"b": [1, "ü"], "a": None}) == "6bafd57c7869b3aca54e576a5157b40cc195c8486124cab93d52f1b59556838e"


FILES = st.dictionaries(st.sampled_from(["a.md", "b.md", "sub/a.md", "c.py"]), st.binary(max_size=6), max_size=4)


def folder_of(files: dict[str, bytes], root: Path) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    root.mkdir(parents=True, exist_ok=True)
    return root


@given(one=FILES, other=FILES)
def test_a_folder_has_the_address_of_its_names_and_bytes(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("pair")
    first, second = folder_of(one, root / "one"), folder_of(other, root / "other")
    assert (folder_digest(first) == folder_digest(second)) == (one == other)
    only = [{n: c for n, c in files.items() if n.endswith(".md")} for files in (one, other)]
    same = folder_digest(first, suffixes=(".md",)) == folder_digest(second, suffixes=(".md",))
    assert same == (only[0] == only[1])


def test_content_may_not_pass_for_a_name(tmp_path: Path) -> None:
    one = folder_of({"a": b"x", "b": b"y"}, tmp_path / "one")
    other = folder_of({"a": b"y", "b": b"x"}, tmp_path / "other")
    assert folder_digest(one) != folder_digest(other)
    assert file_digest(one / "a") == file_digest(other / "b")


@given(parts=st.lists(SCALARS, max_size=3))
def test_a_seed_fits_and_depends_on_its_parts_alone(parts: list[Any]) -> None:
    assert 0 <= seed_of(*parts) < 2**63
    assert seed_of(*parts) == seed_of(*parts)
    assert seed_of(*parts) != seed_of(*parts, "more")
