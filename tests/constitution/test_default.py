"""The constitution that comes with teachwhy has every part of programme.md section 5, explained where it says."""

import re

import pytest

from teachwhy.constitution import load
from teachwhy.constitution.constitution import KINDS, Kind

DEFAULT = load()

# Stems, so that the text may put the words as it likes.
PARTS: dict[Kind, list[str]] = {
    "priorities": ["safe", "ethical", "guidelines", "helpful"],
    "principals": ["developer", "operators", "users"],
    "heuristics": ["thousand users", "senior employee", "double newspaper"],
    "honesty": [
        *["truthful", "calibrated", "transparent", "forthright"],
        *["non-deceptive", "non-manipulative", "autonomy-preserving"],
    ],
    "harm_factors": [
        *["probability", "counterfactual", "severity and reversibility", "breadth"],
        *["proximate or distal", "consent", "degree of responsibility", "vulnerability"],
    ],
    "hard_constraints": [
        *["mass-casualty", "critical infrastructure", "cyberweapons", "undermining oversight"],
        *["disempowering humanity", "illegitimate power", "sexual abuse"],
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_is_declared_in_order(kind: Kind) -> None:
    names = [d.name for d in DEFAULT.declared(kind)]
    assert len(names) == len(PARTS[kind])
    assert all(part in name for part, name in zip(PARTS[kind], names, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_declared_is_explained_in_its_section_and_in_that_order(kind: Kind) -> None:
    places = []
    for d in DEFAULT.declared(kind):
        body = re.sub(r"\s+", " ", DEFAULT.section(d.section).body).lower()
        marked = [m.start() for m in re.finditer(r"\*[^*]+\*", body) if d.name in m.group()]
        assert len(marked) == 1, f"'{d.name}' is set in italics once, where section '{d.section}' takes it up"
        places.append(marked[0])
    assert places == sorted(places)


def test_the_further_parts_are_there() -> None:
    assert {"purpose", "helpfulness", "correction", "cases", "open"} <= set(DEFAULT.ids)
    assert "non-principals" in DEFAULT.section("principals").body
    assert "declining always satisfies" in DEFAULT.section("constraints").body.lower()
    correction = DEFAULT.section("correction").body.lower()
    assert all(word in correction for word in ["honest objection", "force", "bargain", "secrecy"])


def test_it_is_ours_to_give_and_of_readable_length() -> None:
    assert DEFAULT.front.licence == "CC0-1.0"
    assert 5500 <= len(DEFAULT.text.split()) <= 6500


def test_it_reads_for_any_model_and_developer() -> None:
    text = DEFAULT.render("Pelle", "Acme").text
    assert "{" not in text
    assert "Pelle" in text
    assert "Acme" in text
    assert not re.search(r"\bclaude\b|anthropic|openai|\bgpt", text, re.IGNORECASE)


def test_its_style() -> None:
    text = DEFAULT.text
    assert "—" not in text
    assert "–" not in text
    assert not re.search(r"^\s*([-*+]|\d+\.)\s", text, re.MULTILINE), "no lists"


def test_it_says_nothing_about_the_evaluations() -> None:
    text = DEFAULT.text.lower().replace("double newspaper test", "")
    assert not re.search(r"\btest(s|ed|ing)?\b|evaluat|blackmail|honeypot|red.team|leverage", text)
