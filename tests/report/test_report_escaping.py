"""Untrusted text stays text (law 10), in HTML and in Markdown."""

from functools import cache

import pytest
from html_check import Page, well_formed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report_example import HOSTILE, example, transcript

from teachwhy.inert import code, escaped, fenced, one_line, visible
from teachwhy.report import ReportData
from teachwhy.report.data import Turn
from teachwhy.report.page import Figures, drawn, html, markdown
from teachwhy.report.view import view

SNIPPETS = [
    "<script>alert(1)</script>",
    "</pre>",
    "</details>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;",
    "&amp;",
    "&#60;",
    "&",
    "\x1b[31m",
    "\x9b2J",
    "\x00",
    "\r",
    "\r\n",
    "\n",
    "\n\n",
    "    ",
    "\t",
    "```",
    "````",
    "~~~",
    "`",
    "\\",
    "|",
    "# ",
    "- ",
    "1. ",
    "> ",
    "===",
    "---",
    "[a](javascript:x)",
    "![a](http://x/y.png)",
    "[1]: http://x",
    "[ ] ",
    "<http://x>",
    "http://x.example",
    "www.x.example",
    "a@x.example",
    "*",
    "_",
    "**",
    "$x$",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\U000e0041",
    "\ufffe",
    "{{ 7*7 }}",
    "{% raw %}",
    "é",
    "推",
    "text",
]
texts = st.text(max_size=60) | st.lists(st.sampled_from(SNIPPETS), max_size=8).map("".join)
written = texts.filter(bool)
"""An empty reason or evidence is left out of the page."""
one = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
many = settings(max_examples=300, deadline=None)
commonmark = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def small(text: str) -> ReportData:
    """A report with one transcript, whose reply, action, evidence and reason are the text."""
    shown = transcript("advice", True, text).model_copy(update={"reason": text})
    return example(None).model_copy(update={"transcripts": (shown,)})


@cache
def calm_tags() -> list[str]:
    """The elements of the page when the transcript is harmless; the figures are none of it."""
    return Page(html(view(small("calm")), drawn(view(small("calm"))))).tags


@cache
def calm_tokens() -> list[str]:
    return [token.type for token in commonmark.parse(markdown(view(small("calm"))))]


@one
@given(text=written)
def test_transcript_is_inert_in_html(figures: Figures, text: str) -> None:
    page = html(view(small(text)), figures)
    parsed = Page(page)
    assert parsed.faults == []
    assert parsed.tags == calm_tags()
    well_formed(page)
    assert f"\n{visible(text)}" in parsed.pres


@one
@given(text=written)
def test_transcript_is_fenced_in_markdown(text: str) -> None:
    tokens = commonmark.parse(markdown(view(small(text))))
    assert not [token for token in tokens if token.type in ("html_block", "html_inline")]
    assert f"{visible(text)}\n" in [token.content for token in tokens if token.type == "fence"]
    assert [token.type for token in tokens] == calm_tokens()


@many
@given(text=texts)
def test_a_line_of_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    tokens = commonmark.parse(f"- {escaped(text)}\n")
    inline = [token for token in tokens if token.type == "inline"]
    assert [token.type for token in tokens if token.type not in ("inline", "paragraph_open", "paragraph_close")] == [
        "bullet_list_open",
        "list_item_open",
        "list_item_close",
        "bullet_list_close",
    ]
    shown = "".join(child.content for token in inline for child in token.children or [])
    assert {child.type for token in inline for child in token.children or []} <= {"text", "text_special"}
    assert shown == one_line(text)


@many
@given(text=texts, other=texts)
def test_a_table_of_markdown_keeps_its_cells(text: str, other: str) -> None:
    tokens = commonmark.parse(f"| a | b |\n| --- | --- |\n| {escaped(text)} | {code(other)} |\n")
    cells = [token for token in tokens if token.type == "inline"][2:]
    assert len(cells) == 2
    assert "".join(child.content for child in cells[0].children or []) == one_line(text)
    assert [child.type for child in cells[1].children or []] == ["code_inline"]
    assert (cells[1].children or [])[0].content.strip() == one_line(other)


@many
@given(text=texts)
def test_visible_text_has_no_hidden_characters(text: str) -> None:
    shown = visible(text)
    assert not [char for char in shown if (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0]
    assert visible(shown) == shown
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u2029\ufeff\ufffe")


def test_hostile_text_by_example(page: str, mirror: str) -> None:
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page
    assert "␛[31mred␛[0m ⟨U+202E⟩evil⟨U+202C⟩" in page
    assert "\x1b" not in page
    assert "\x1b" not in mirror
    assert "<script" not in page
    assert fenced(HOSTILE).startswith("`````text\n")
    assert fenced(HOSTILE) in mirror


def test_study_names_are_inert_too(figures: Figures) -> None:
    evil = '"><script>x</script> [a](b) | `c`'
    data = example(None).model_copy(update={"study": evil, "question": f"{evil}\n# forged", "caveats": (evil,)})
    page = html(view(data), figures)
    assert Page(page).faults == []
    assert "<script" not in page
    tokens = commonmark.parse(markdown(view(data)))
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert "forged" not in headings
    kinds = {child.type for token in tokens for child in token.children or []}
    assert not kinds & {"html_inline", "link_open"}


@pytest.mark.parametrize("half", ["\ud800", "a\udfff b"])
def test_half_a_character_is_replaced(half: str) -> None:
    turn = Turn(role="assistant", text=half)
    assert "\ufffd" in turn.text
    turn.model_dump_json().encode()


def test_a_pair_of_surrogates_is_the_character() -> None:
    assert Turn(role="assistant", text="\ud83d\ude00").text == "\U0001f600"
