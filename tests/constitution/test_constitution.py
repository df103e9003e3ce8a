"""A constitution file becomes addressable sections, or an error that says how to mend it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teachwhy.constitution import Constitution, load
from teachwhy.errors import TextError

SMALL = """---
title: House rules
---
## Doors {#doors}
Close them, {model_name}.

## Windows {#windows}
Open them. {developer} pays the heating.
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.md"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> Constitution:
    return load(write(folder, text))


def with_front(line: str) -> str:
    return SMALL.replace("title: House rules\n", f"title: House rules\n{line}\n")


def test_a_file_with_a_title_and_sections_is_enough(tmp_path: Path) -> None:
    mine = read(tmp_path, SMALL)
    assert mine.ids == ("doors", "windows")
    assert mine.section("windows").title == "Windows"
    assert mine.section("doors").text == "## Doors\n\nClose them, {model_name}."
    assert mine.declared("priorities") == ()


def test_render_fills_every_slot_and_hides_the_ids(tmp_path: Path) -> None:
    mine = read(
        tmp_path, SMALL.replace("House rules", "For {model_name}").replace("## Doors", "## {developer}'s doors")
    )
    filled = mine.render("Pelle", "Acme")
    assert filled.text == (
        "# For Pelle\n\n## Acme's doors\n\nClose them, Pelle.\n\n## Windows\n\nOpen them. Acme pays the heating.\n"
    )
    assert filled.section("doors").title == "Acme's doors"
    assert mine.section("doors").title == "{developer}'s doors", "the original stays as it was"


def test_a_name_that_is_a_word_begins_a_sentence_in_capitals(tmp_path: Path) -> None:
    said = 'Close them,\n{model_name}. {model_name} may ask. "{model_name}?"\n\n{model_name}, {developer}'
    filled = read(tmp_path, SMALL.replace("Close them, {model_name}.", said)).render("the model", "its maker")
    wanted = 'Close them,\nthe model. The model may ask. "The model?"\n\nThe model, its maker'
    assert filled.section("doors").body == wanted


def test_a_name_that_looks_like_a_slot_is_only_a_name(tmp_path: Path) -> None:
    filled = read(tmp_path, SMALL).render("{developer}", r"\1 {x}")
    assert filled.section("doors").body == "Close them, {developer}."
    assert r"\1 {x} pays" in filled.text
    assert filled.render("a", r"b").front.slots == ()


@pytest.mark.parametrize(("model_name", "developer"), [("", "Acme"), ("Pelle", "  ")])
def test_an_empty_name_is_refused(tmp_path: Path, model_name: str, developer: str) -> None:
    with pytest.raises(TextError, match="a name is empty"):
        read(tmp_path, SMALL).render(model_name, developer)


def test_the_address_follows_the_content_alone(tmp_path: Path) -> None:
    mine = read(tmp_path, SMALL)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.md").write_bytes(SMALL.replace("\n", "\r\n").encode())
    assert load(elsewhere / "other.md").address == mine.address
    changes = [
        ("Close", "Shut"),
        ("Doors {", "Gates {"),
        ("#doors", "#gates"),
        ("House", "Our"),
        ("---\n##", "---\nx\n##"),
    ]
    changed = [read(tmp_path, SMALL.replace(old, new)).address for old, new in changes]
    changed.append(read(tmp_path, with_front('version: "2"')).address)
    changed.append(read(tmp_path, with_front("priorities: [{id: a, name: b, section: doors}]")).address)
    changed.append(mine.render("Pelle", "Acme").address)
    assert len({mine.address, *changed}) == len(changed) + 1


def test_sections_in_another_order_are_another_constitution(tmp_path: Path) -> None:
    front, doors, windows = SMALL.split("## ")
    other = read(tmp_path, f"{front}## {windows}\n## {doors}")
    assert other.ids == ("windows", "doors")
    assert other.address != read(tmp_path, SMALL).address


@pytest.mark.parametrize("part", ["front", "lead", "sections"])
def test_a_constitution_cannot_be_changed(tmp_path: Path, part: str) -> None:
    with pytest.raises(AttributeError):
        setattr(read(tmp_path, SMALL), part, None)


BAD = {
    "heading without id": (SMALL.replace(" {#doors}", ""), "no id", "'## Doors'", "## Doors {#doors}"),
    "id in capitals": (SMALL.replace("#doors", "#Doors"), "no id", "Doors", "## Doors {#doors}"),
    "id with a blank": (SMALL.replace("#doors", "#my doors"), "no id", "Doors", "## Doors {#doors}"),
    "id alone": (SMALL.replace("Doors {#doors}", "{#doors}"), "no id", "{#doors}", "{#its-id}"),
    "slot in a heading without id": (
        SMALL.replace("Doors {#doors}", "What {developer} shuts"),
        "no id",
        "shuts",
        "{#what-shuts}",
    ),
    "an id twice": (SMALL.replace("#windows", "#doors"), "'doors' is used twice", "sections", "rename"),
    "a heading twice": (SMALL.replace("Windows {#windows}", "Doors {#doors}"), "stands twice", "mine.md", "rename"),
    "no section": ("---\ntitle: x\n---\nOnly a lead.\n", "no section", "mine.md", "{#id}"),
    "empty section": (SMALL.replace("Close them, {model_name}.", ""), "no text", "doors", "write it"),
    "unknown slot": (SMALL.replace("{developer}", "{developr}"), "{developr}", "line 8", "'developer'"),
    "undeclared slot": (with_front("slots: [model_name]"), "{developer}", "line 9", "known: model_name"),
    "slot that cannot be filled": (with_front("slots: [author]"), "slots.0", "mine.md", "author"),
    "unknown key": (with_front("priority: []"), "unknown key 'priority'", "mine.md", "did you mean 'priorities'"),
    "unknown key in an item": (
        with_front("principals: [{id: a, name: b, section: doors, sektion: x}]"),
        "sektion",
        "mine.md",
        "did you mean 'section'",
    ),
    "item without section": (with_front("honesty: [{id: a, name: b}]"), "honesty.0.section", "mine.md", "it is"),
    "dangling item": (
        with_front("harm_factors: [{id: a, name: b, section: windoes}]"),
        "'a' points to section 'windoes'",
        "harm_factors",
        "did you mean 'windows'",
    ),
    "item id twice": (
        with_front("heuristics: [{id: a, name: b, section: doors}, {id: a, name: c, section: doors}]"),
        "'a' is used twice",
        "heuristics",
        "rename",
    ),
    "slot in a name": (
        with_front('principals: [{id: a, name: "{developer}", section: doors}]'),
        "name",
        "",
        "{developer}",
    ),
    "no title": (SMALL.replace("title: House rules", "version: '1'"), "title", "mine.md", ""),
    "version as a number": (with_front("version: 1.10"), "version", "mine.md", "1.1"),
    "no front matter": (SMALL.partition("---\n## ")[2], "front matter", "mine.md", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_told_what_where_and_how_to_mend_it(tmp_path: Path, case: str) -> None:
    text, what, where, mend = BAD[case]
    with pytest.raises(TextError) as error:
        read(tmp_path, text)
    assert what in error.value.what
    assert where in str(error.value.where)
    assert str(tmp_path) in str(error.value.where)
    assert mend in (error.value.mend or "")
    assert error.value.exit_code == 2


def test_a_missing_or_undecodable_file(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="no such file"):
        load(tmp_path / "none.md")
    path = tmp_path / "latin.md"
    path.write_bytes(SMALL.replace("Close", "Clöse").encode("latin-1"))
    with pytest.raises(TextError, match="not UTF-8"):
        load(path)


def test_an_unknown_section_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"(?s)unknown section 'window'.*did you mean 'windows'"):
        read(tmp_path, SMALL).section("window")


def test_other_braces_are_text(tmp_path: Path) -> None:
    body = "Sets {1, 2}, {}, { developer }, {#x} and\n### Deeper {#deeper}\n```\n# not a section\n```"
    mine = read(tmp_path, SMALL.replace("Close them, {model_name}.", body))
    assert mine.ids == ("doors", "windows")
    assert mine.render("Pelle", "Acme").section("doors").body == body


ids = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"), exclude_characters="{}#"),
    min_size=1,
)
titles = st.lists(words, min_size=1, max_size=4).map(" ".join)
slot = st.sampled_from(["{model_name}", "{developer}"])
lines = st.lists(titles | slot, min_size=1, max_size=3).map(" ".join)
bodies = st.lists(lines, min_size=1, max_size=4).map("\n\n".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.dictionaries(ids, st.tuples(titles, bodies), min_size=1, max_size=6), words, words)
def test_whatever_is_written_as_sections_is_read_as_those_sections(
    tmp_path: Path, written: dict[str, tuple[str, str]], model_name: str, developer: str
) -> None:
    text = "\n\n".join(f"## {title} {{#{id}}}\n\n{body}" for id, (title, body) in written.items())
    mine = read(tmp_path, f"---\ntitle: Any\n---\n{text}\n")
    assert {s.id: (s.title, s.body) for s in mine.sections} == written
    assert mine.ids == tuple(written)
    filled = mine.render(model_name, developer)
    for id, (_, body) in written.items():
        named = body.replace("{model_name}", model_name).replace("{developer}", developer)
        assert filled.section(id).body.upper() == named.upper()  # a name that begins a sentence has a capital
    again = "\n\n".join(f"## {s.title} {{#{s.id}}}\n{s.body}" for s in mine.sections)
    assert read(tmp_path, f"---\ntitle: Any\n---\n\n{again}").address == mine.address


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(codec="utf-8")) | st.text("#{}ab- \n"))
def test_any_text_is_read_or_refused_but_never_crashes(tmp_path: Path, text: str) -> None:
    try:
        mine = read(tmp_path, f"---\ntitle: Any\n---\n{text}")
    except TextError:
        return
    assert mine.sections
    assert all(mine.section(id).body for id in mine.ids)
