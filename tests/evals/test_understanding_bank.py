"""Question banks: what is refused, with its place; what is stale; and the bank that comes with teachwhy."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from rapidfuzz import fuzz
from understanding_help import HOUSE, LAMP, bank_file, house

from teachwhy.constitution import load
from teachwhy.errors import TextError, UserError
from teachwhy.evals.understanding.asking import chosen, deal, put
from teachwhy.evals.understanding.bank import (
    FORMS,
    TYPES,
    Names,
    Question,
    default_bank,
    load_bank,
    parse_question,
    question_markdown,
    stale_report,
)
from teachwhy.evals.understanding.reading import contains
from teachwhy.evals.understanding.settings import Settings, materials, sample_ids, split_id, suite_address

DEFAULT = load()
BANK = load_bank(default_bank(), DEFAULT)
CHOICES = [q for q in BANK.questions if q.type == "choice"]
PELLE = Names("Pelle", "Acme")


def test_a_bank_is_read(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    bank = load_bank(bank_file(tmp_path, constitution), constitution)
    assert [(q.id, q.type, q.section) for q in bank.questions] == [
        ("burning-lamp", "choice", "lamp"),
        ("by-the-stairs", "short", "lamp"),
        ("lamp-at-ten", "false-premise", "lamp"),
        ("waste-of-oil", "open", "lamp"),
    ]
    assert bank.question("burning-lamp").options[0] == "whoever comes home last"
    assert bank.question("waste-of-oil").items("Points") == ("it burns for the last one home", "the cost is accepted")
    assert bank.stale == ()
    with pytest.raises(TextError, match="waste-of-oil"):
        bank.question("waste-of-oill")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("(choice)", "(choise)", r"unknown type 'choise'[\s\S]*did you mean 'choice'"),
        ("burning-lamp (choice)", "Burning lamp", "not an id and a type"),
        ("- [x] whoever", "- [ ] whoever", "0 right and 4 wrong"),
        ("- [ ] a guest from far away\n", "", "1 right and 2 wrong"),
        ("a guest from far away", "The cat on the stairs", "two options are the same"),
        ("Accept:\n- lamp\n", "", "'Accept:' is missing"),
        ("Accept:\n- lamp\n", "Accept: lamp\n", "'Accept:' is no list"),
        ("Not:", "Nott:", r"unknown label 'Nott:'[\s\S]*did you mean 'Not'"),
        ("- mirror", "- lamp", "accepted and refused"),
        ("Instead:", "False:", "stands twice"),
        ("What hangs by", "What lamp hangs by", "stands in the question"),
        ("[your|{model_name}'s] house", "your house", "does not name the persona"),
        ("[your|{model_name}'s] house", "[the|{model_name}'s] house", "does not say you"),
        ("[your|{model_name}'s] house", "[your|{model_name}'s house", "a bracket or bar stands alone"),
        ("[do you|does {model_name}] say", "[do you|does {model_nme}] say", r"unknown slot '\{model_nme\}'"),
        ("- the cost is accepted\n", "", "1 points"),
        ("lamp-at-ten (false", "by-the-stairs (false", "by-the-stairs"),
    ],
)
def test_a_fault_is_named_with_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    assert old in LAMP
    path = bank_file(tmp_path, constitution, LAMP.replace(old, new, 1))
    with pytest.raises(TextError, match=said) as caught:
        load_bank(path, constitution)
    assert "questions.md" in str(caught.value)


def test_two_files_share_no_id_and_no_question(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    folder = tmp_path / "bank"
    folder.mkdir()
    one = bank_file(folder, constitution)
    (folder / "more.md").write_text(one.read_text("utf-8").replace("burning-lamp", "lit-lamp"), "utf-8")
    with pytest.raises(TextError, match=r"word for word|have the id"):
        load_bank(folder, constitution)


def test_an_unknown_section_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    with pytest.raises(TextError, match=r"section 'lmp'[\s\S]*did you mean 'lamp'"):
        load_bank(bank_file(tmp_path, constitution, section="lmp"), constitution)


def test_a_bank_must_have_files_and_questions(tmp_path: Path) -> None:
    _, constitution = house(tmp_path)
    with pytest.raises(TextError, match="no such file"):
        load_bank(tmp_path / "nowhere.md", constitution)
    (tmp_path / "empty").mkdir()
    with pytest.raises(TextError, match="the bank has no file"):
        load_bank(tmp_path / "empty", constitution)
    with pytest.raises(TextError, match="has no question"):
        load_bank(bank_file(tmp_path, constitution, ""), constitution)


def test_questions_on_changed_text_are_reported_and_not_asked(tmp_path: Path) -> None:
    path, constitution = house(tmp_path)
    bank_path = bank_file(tmp_path, constitution)
    path.write_text(HOUSE.replace("hangs a lamp.", "hangs  a\nlamp.").replace("blue chair", "red chair"), "utf-8")
    assert load_bank(bank_path, load(path)).stale == ()  # other line breaks, another section
    path.write_text(HOUSE.replace("comes home last", "comes home first"), "utf-8")
    changed = load(path)
    bank = load_bank(bank_path, changed)
    assert bank.stale == tuple(q.id for q in bank.questions)
    [line] = stale_report(bank, changed)
    assert "section 'lamp' has changed" in line
    assert "burning-lamp" in line
    with pytest.raises(UserError, match="rest on text that has changed"):
        sample_ids(Settings(constitution=path, bank=bank_path))
    seal = re.search(r'text: "[0-9a-f]{16}"', line)
    assert seal
    bank_path.write_text(re.sub(r'text: "[0-9a-f]+"', seal[0], bank_path.read_text("utf-8")), "utf-8")
    assert load_bank(bank_path, changed).stale == ()


# The default bank


def test_the_default_bank_covers_every_section_and_type() -> None:
    counts = Counter(q.type for q in BANK.questions)
    assert len(BANK.questions) >= 120
    assert all(counts[name] >= least for name, least in zip(TYPES, (45, 35, 25, 25), strict=True))
    assert {(q.section, q.type) for q in BANK.questions} == {(id, name) for id in DEFAULT.ids for name in TYPES}
    assert BANK.stale == ()
    assert {source.meta.constitution for source in BANK.sources} == {DEFAULT.address}


def test_no_two_questions_are_alike() -> None:
    asked = [(q.id, PELLE.fill(q.ask, "you").lower()) for q in BANK.questions]
    alike = [(a, b) for (a, x), (b, y) in combinations(asked, 2) if fuzz.token_sort_ratio(x, y) >= 80]
    assert alike == []
    openers = Counter(" ".join(text.split()[:4]) for _, text in asked)
    assert openers.most_common(1)[0][1] <= 5


def test_both_forms_of_every_question_differ_and_leave_no_mark() -> None:
    for q in BANK.questions:
        forms = [put(q, form, PELLE, q.options) for form in FORMS]
        assert forms[0] != forms[1]
        assert not any(re.search(r"[\[\]|{}]|  ", text) for text in forms), q.id
        assert "Pelle" in forms[1]


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def test_right_options_do_not_show_by_their_looks() -> None:
    """A reader who has not seen the constitution gets a quarter right by any rule of thumb, give or take."""
    length = [[len(PELLE.fill(option, "you")) for option in q.options] for q in CHOICES]
    assert 0.1 <= share([n[0] == max(n) for n in length]) <= 0.4
    assert 0.1 <= share([n[0] == min(n) for n in length]) <= 0.4
    shared = [[len(words(option) & words(q.ask)) for option in q.options] for q in CHOICES]
    assert share([n[0] == max(n) and n.count(n[0]) == 1 for n in shared]) <= 0.3
    commas = [[option.count(",") for option in q.options] for q in CHOICES]
    assert share([n[0] == max(n) and n.count(n[0]) == 1 for n in commas]) <= 0.3
    # Nor is the right one odd, or typical, among the four by its words.
    near = [[sum(len(words(a) & words(b)) for b in q.options) for a in q.options] for q in CHOICES]
    assert share([n[0] == max(n) and n.count(n[0]) == 1 for n in near]) <= 0.4
    assert share([n[0] == min(n) and n.count(n[0]) == 1 for n in near]) <= 0.4


def words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", PELLE.fill(text, "persona").lower()))


def test_short_answers_stand_in_the_section_they_rest_on() -> None:
    for q in BANK.questions:
        if q.type == "short" and q.id not in ("how-many-duties", "answers-to-none", "third-door"):
            body = DEFAULT.section(q.section).body
            assert any(contains(body, accepted) for accepted in q.items("Accept")), q.id


def test_the_bank_is_read_again_as_it_is_written() -> None:
    for q in BANK.questions:
        heading, _, body = question_markdown(q).removeprefix("## ").partition("\n")
        assert parse_question(heading, body, q.section, "again") == q


# Choosing and dealing


@pytest.mark.parametrize("seed", range(5))
def test_the_right_option_is_at_each_place_equally_often(seed: int) -> None:
    shown = deal(CHOICES, seed)
    places = Counter(shown[q.id].index(q.options[0]) for q in CHOICES)
    assert max(places.values()) - min(places.values()) <= 1
    assert all(sorted(shown[q.id]) == sorted(q.options) for q in CHOICES)
    assert deal(CHOICES, seed) == shown
    assert deal(CHOICES, seed + 1) != shown


@pytest.mark.parametrize("count", [4, 16, 40, 60])
def test_a_subset_is_even_and_grows(count: int) -> None:
    kept = chosen(BANK.questions, TYPES, count, 0)
    types, sections = Counter(q.type for q in kept), Counter(q.section for q in kept)
    assert len(kept) == count
    assert max(types.values()) - min(types.values()) <= 1
    assert max(sections.values()) <= 2 * count / len(DEFAULT.ids) + 2
    assert set(kept) <= set(chosen(BANK.questions, TYPES, count + 7, 0))
    assert kept != chosen(BANK.questions, TYPES, count, 1)


def test_ids_are_in_order_the_same_for_all_and_both_forms_stand_together() -> None:
    ids = sample_ids(Settings())
    assert len(ids) == 2 * sum(q.type in ("choice", "short") for q in BANK.questions)
    assert ids[:2] == ["pharmacy-teaching/you", "pharmacy-teaching/persona"]
    assert sample_ids(Settings(forms=("persona",), samples=5, types=TYPES))[0].endswith("/persona")
    assert len(sample_ids(Settings(forms=("persona",), samples=5, types=TYPES))) == 5
    with pytest.raises(UserError, match="did you mean 'leeds/you'"):
        split_id("leeds/yu", Settings())


def test_both_forms_show_the_same_options_in_the_same_order() -> None:
    question: Question = CHOICES[0]
    options = deal(CHOICES, 0)[question.id]
    lines = [[line for line in put(question, form, PELLE, options).splitlines() if line[1:2] == ")"] for form in FORMS]
    assert lines[0] == lines[1]
    assert [line[:2] for line in lines[0]] == ["A)", "B)", "C)", "D)"]


def test_braces_in_a_name_are_left_alone() -> None:
    odd = Names("{developer}", "{question}")
    assert "{developer}" in put(CHOICES[0], "persona", odd, CHOICES[0].options)


@pytest.mark.parametrize(
    "settings",
    [
        {"types": ["choise"]},
        {"types": []},
        {"types": ["choice", "choice"]},
        {"forms": ["we"]},
        {"samples": 0},
        {"persona": " "},
        {"temprature": 1},
        {"constitution": "house.md"},
        {"constitution": "short"},
    ],
)
def test_bad_settings_are_errors(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Settings.model_validate(settings)


def test_the_default_may_be_named_and_another_that_ships_takes_a_bank(tmp_path: Path) -> None:
    assert materials(Settings.model_validate({"constitution": "default"})).constitution == DEFAULT
    short = load("short")
    bank = bank_file(tmp_path, short, section="purpose")
    named = Settings.model_validate({"constitution": "short", "bank": bank})
    assert materials(named).constitution == short


def test_what_moves_the_address(tmp_path: Path) -> None:
    path, constitution = house(tmp_path)
    bank = bank_file(tmp_path, constitution)
    own = Settings(constitution=path, bank=bank)
    ids = sample_ids(own)
    before = suite_address(own, ids)
    assert suite_address(own, ids[:1]) != before
    assert suite_address(own.model_copy(update={"persona": "Rolf"}), ids) != before
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.md").write_bytes(bank.read_bytes())
    assert suite_address(own.model_copy(update={"bank": elsewhere / "b.md"}), ids) == before
    (elsewhere / "b.md").write_text(bank.read_text("utf-8").replace("the cat on", "the dog on"), "utf-8")
    assert suite_address(own.model_copy(update={"bank": elsewhere / "b.md"}), ids) != before
