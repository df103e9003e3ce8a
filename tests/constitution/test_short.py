"""The short constitution declares what the default one does, in fewer and plainer words, and both go by their names."""

import re
from pathlib import Path

import pytest

from teachwhy.constitution import find, load, shipped
from teachwhy.constitution.constitution import KINDS, Kind
from teachwhy.errors import TextError

DEFAULT, SHORT = load(), load("short")


@pytest.mark.parametrize("kind", KINDS)
def test_it_declares_the_same_and_marks_each_once_in_order(kind: Kind) -> None:
    assert SHORT.declared(kind) == DEFAULT.declared(kind)
    places = []
    for d in SHORT.declared(kind):
        body = re.sub(r"\s+", " ", SHORT.section(d.section).body).lower()
        marked = [m.start() for m in re.finditer(r"\*[^*]+\*", body) if d.name in m.group()]
        assert len(marked) == 1, d.name
        places.append(marked[0])
    assert places == sorted(places)


def test_it_has_the_sections_of_the_default_so_that_what_names_one_finds_it() -> None:
    assert SHORT.ids == DEFAULT.ids
    correction = SHORT.section("correction").body.lower()
    assert all(word in correction for word in ["honest objection", "force", "bargain", "secrecy"])
    assert "declining always satisfies" in SHORT.section("constraints").body.lower()


def test_a_small_model_can_read_it() -> None:
    text = SHORT.render("Pelle", "Acme").text
    assert 700 <= len(text.split()) <= 920
    sentences = re.split(r"(?<=[.?!])\s+", re.sub(r"(?m)^#.*$", "", text))
    lengths = [len(sentence.split()) for sentence in sentences if sentence]
    assert max(lengths) <= 36
    assert sum(lengths) / len(lengths) <= 15
    assert "—" not in text
    assert "{" not in text


def test_a_shipped_one_goes_by_its_name_and_a_file_by_its_path(tmp_path: Path) -> None:
    assert shipped() == ("default", "short")
    assert load("default").address == load(Path("default")).address == DEFAULT.address != SHORT.address
    mine = tmp_path / "short.md"
    mine.write_text("---\ntitle: Mine\n---\n## Doors {#doors}\nClose them.\n", encoding="utf-8")
    assert find(mine) == mine
    assert load(str(mine)).ids == ("doors",)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(TextError, match=r"(?s)unknown constitution 'shrot'.*did you mean 'short'"):
        load("shrot")
