"""The loader of Markdown texts: sections come back as they were written, and what breaks the format is named."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from teachwhy.errors import CorpusError, TextError
from teachwhy.texts import Meta, Text, load_text, read_utf8, validated


class Inner(Meta):
    words: list[str] = Field(default_factory=list)


class Front(Meta):
    title: str
    inner: Inner | None = None
    parts: dict[str, list[Inner | str]] = Field(default_factory=dict)


def load(path: Path, text: str | bytes) -> Text[Front]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_text(path, Front)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.md"


LINES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n"), max_size=20)
# A line that would itself be a heading is no part of a body.
BODY = st.lists(LINES.filter(lambda line: not line.startswith("##")), max_size=4).map("\n".join)
NAMES = LINES.map(str.strip).filter(bool)


@settings(max_examples=150, deadline=None)
@given(lead=BODY, sections=st.dictionaries(NAMES, BODY, max_size=5), spaces=st.sampled_from(["", " ", "\t", "  "]))
def test_sections_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, lead: str, sections: dict[str, str], spaces: str
) -> None:
    written = "".join(f"## {spaces}{name}{spaces}\n{body}\n" for name, body in sections.items())
    path = tmp_path_factory.getbasetemp() / "sections.md"
    text = load(path, f"---\ntitle: x\n---\n{lead}\n{written}")
    assert text.lead == lead.strip()
    assert list(text.sections.items()) == [(name, body.strip()) for name, body in sections.items()]


@settings(max_examples=50, deadline=None)
@given(garbage=st.binary(max_size=60))
def test_any_bytes_give_a_text_or_our_error(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.md"
    for text in (garbage, b"---\n" + garbage + b"\n---\n", b"---\ntitle: x\n---\n" + garbage):
        with suppress(TextError):
            load(path, text)


@settings(max_examples=50, deadline=None)
@given(key=st.text("abcdefghijklmnop_", min_size=1, max_size=8))
def test_no_unknown_key_passes(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    assume(key not in Front.model_fields)
    with pytest.raises(TextError, match=f"unknown key '{key}'"):
        load(tmp_path_factory.getbasetemp() / "key.md", f"---\ntitle: x\n{key}: 1\n---\n")


def test_line_ends_and_marks_of_other_systems_do_no_harm(path: Path) -> None:
    text = load(path, b"\xef\xbb\xbf---\r\ntitle: x\r\n---\r\nLead.\r\n## One\r\nBody.\r\n")
    assert (text.lead, text.sections) == ("Lead.", {"One": "Body."})


def test_a_text_may_end_with_its_front_matter(path: Path) -> None:
    assert load(path, "---\ntitle: x\n---").sections == {}


def test_deeper_headings_belong_to_the_body(path: Path) -> None:
    assert load(path, "---\ntitle: x\n---\n## One\n### Two\n# Three\n").sections == {"One": "### Two\n# Three"}


BAD = {
    "no front matter": ("## One\n", "does not begin with front matter"),
    "front matter left open": ("---\ntitle: x\n", "does not begin with front matter"),
    "not YAML": ("---\ntitle: [x\n---\n", "not YAML"),
    "a date that no calendar has": ("---\ntitle: 2024-13-45\n---\n", "not YAML"),
    "a list": ("---\n- x\n---\n", "dictionary"),
    "nothing": ("---\n---\n", "the key 'title' is missing"),
    "wrong kind": ("---\ntitle: [x]\n---\n", "'title': Input should be a valid string"),
    "section twice": ("---\ntitle: x\n---\n## One\na\n## Two\n## One \nb\n", "'## One' stands twice"),
    "not UTF-8": (b"---\ntitle: x\n---\ncaf\xe9\n", "not UTF-8"),
}


@pytest.mark.parametrize(("text", "what"), BAD.values(), ids=BAD)
def test_what_breaks_the_format_is_named(path: Path, text: str | bytes, what: str) -> None:
    with pytest.raises(TextError) as caught:
        load(path, text)
    assert what in caught.value.what
    assert str(path) in str(caught.value.where)
    assert caught.value.exit_code == 2


def test_the_line_that_is_not_utf8_is_named(path: Path) -> None:
    path.write_bytes(b"one\ntwo\nthr\xe9e\n")
    with pytest.raises(TextError) as caught:
        read_utf8(path)
    assert caught.value.where == f"{path}, line 3"


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "folder"])
def test_what_is_not_a_file_is_named(tmp_path: Path, missing: bool) -> None:
    with pytest.raises(TextError) as caught:
        read_utf8(tmp_path / "none.md" if missing else tmp_path)
    assert str(tmp_path) in str(caught.value.where)


@pytest.mark.parametrize(
    ("data", "what", "mend"),
    [
        ({"title": "x", "titel": "y"}, "unknown key 'titel'", "did you mean 'title'"),
        # A misspelt required key is also a missing one: the misspelling is what is said.
        ({"titel": "x"}, "unknown key 'titel'", "did you mean 'title'"),
        ({"titel": "x", "inner": 5}, "unknown key 'titel'", "did you mean 'title'"),
        ({"title": "x", "inner": {"wrds": []}}, "unknown key 'inner.wrds'", "did you mean 'words'"),
        ({"title": "x", "parts": {"a": [{"word": []}]}}, "unknown key 'parts.a.0.Inner.word'", "did you mean 'words'"),
        ({"title": "x", "zzzzzz": 1}, "unknown key 'zzzzzz'", "known: inner, parts, title"),
        ({}, "the key 'title' is missing", "add it"),
        ({"title": 5}, "'title': Input should be a valid string", "it is 5 now"),
    ],
)
def test_a_refused_value_says_the_key_and_its_mend(data: object, what: str, mend: str) -> None:
    with pytest.raises(TextError) as caught:
        validated(Front, data, where="here")
    assert caught.value.what == what
    assert mend in (caught.value.mend or "")


class Paired(BaseModel):
    model_config = ConfigDict(extra="forbid")
    low: int
    high: int

    @model_validator(mode="after")
    def _ordered(self) -> "Paired":
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


def test_a_rule_over_several_keys_speaks_for_itself() -> None:
    with pytest.raises(CorpusError, match=r"^low is above high") as caught:
        validated(Paired, {"low": 2, "high": 1}, where="here", error=CorpusError)
    assert caught.value.what == "low is above high"


def test_a_long_value_is_shortened() -> None:
    with pytest.raises(TextError) as caught:
        validated(Front, {"title": ["x" * 5000]}, where="here")
    assert len(str(caught.value)) < 300
