"""The authored corpora: all can be read and keep their form, and a file that breaks the format is named."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from teachwhy.corpora import authored
from teachwhy.corpora.authored import authored_names, authored_root, card, load_authored
from teachwhy.corpora.corpus import Corpus
from teachwhy.corpora.decks import Deck
from teachwhy.errors import CorpusError, TextError

Plant = Callable[..., list[Any]]
DECK = Deck("planted", {"genre": {"fable": 1.0}, "decision": {"yes": 0.5, "no": 0.5}})
FRONT = "setting: shop\n"
SEND = "send_email\nto: ana@shop.example\nbody: Closed on Monday."


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Load a corpus of one file with this front matter and body."""

    def load(body: str, front: str = "", variants: int = 1) -> list[Any]:
        folder = tmp_path / "planted"
        folder.mkdir(exist_ok=True)
        (folder / "card.md").write_text("---\nas: chat\nlicence: CC0-1.0\nsummary: x\n---\n")
        (folder / "late-rent.md").write_text(f"---\n{FRONT}{front}---\n{body}\n")
        monkeypatch.setattr(authored, "authored_root", lambda: tmp_path)
        monkeypatch.setattr(authored, "deck_of", lambda corpus: DECK)
        return load_authored("planted", variants=variants)

    return load


@pytest.mark.parametrize("name", authored_names())
def test_every_file_is_a_record_in_the_form_of_its_card(name: str, shipped: dict[str, Corpus]) -> None:
    files = {path.name for path in (authored_root() / name).glob("*.md")} - {"card.md"}
    corpus, about = shipped[name], card(name)
    assert {record.meta["file"] for record in corpus.records} == files
    assert len({record.id for record in corpus.records}) == len(corpus.records)
    assert {record.text is None for record in corpus.records} == {about.meta.form == "chat"}
    assert about.meta.licence == "CC0-1.0"
    assert len(about.lead) > 100


@pytest.mark.parametrize("name", authored_names())
def test_no_slot_is_left_unsaid(name: str, shipped: dict[str, Corpus]) -> None:
    for record in shipped[name].records:
        assert not authored._SLOT.search(record.whole()), record.id


@pytest.mark.parametrize("name", authored_names())
def test_dealings_are_the_same_every_time_and_differ_from_each_other(name: str, shipped: dict[str, Corpus]) -> None:
    ids = {record.id: record for record in shipped[name].records}
    assert all(ids[record.id] == record for record in load_authored(name, variants=3))
    texts = defaultdict(list)
    for record in shipped[name].records:
        texts[record.meta["file"]].append(record.whole())
    assert all(len(set(dealt)) == len(dealt) for dealt in texts.values())


def test_an_unknown_corpus_gets_the_nearest_one() -> None:
    with pytest.raises(CorpusError, match="did you mean 'rogue-fiction'"):
        load_authored("rogue-ficton")


ASK = "## user\nTell them.\n\n## call\n"
BAD = {
    "unknown tool": (ASK + SEND, "tools: [send_emial]\n", "unknown tool 'send_emial'", "did you mean 'send_email'"),
    "call without the tool": (ASK + SEND, "tools: [write_file]\n", "'send_email' is not among", "known: write_file"),
    "unknown argument": (
        ASK + SEND.replace("body:", "bdy:"),
        "tools: [send_email]\n",
        "'send_email' takes no 'bdy'",
        "did you mean 'body'",
    ),
    "unknown slot": (ASK + "{whoo}", "slots: {who: [Ana Ruiz]}\n", "unknown slot '{whoo}'", "did you mean 'who'"),
    "unknown part of a slot": (
        "## user\n{who.frist}\n\n## assistant\nYes.",
        "slots: {who: [Ana Ruiz]}\n",
        "'{who.frist}'",
        "did you mean 'first'",
    ),
    "unknown turn": ("## user\nHi.\n\n## asistant\nHi.", "", "'## asistant' is not a turn", "did you mean 'assistant'"),
    "words before a turn": ("Lost words.\n\n## user\nHi.\n\n## assistant\nHi.", "", "'Lost words.'", "heading"),
    "no answer": ("## user\nHi.", "", "no message is the assistant's", ""),
    "a call that is none": (ASK + "send_email\nto ana", "tools: [send_email]\n", "'argument: value'", ""),
    "unknown key": ("A text.", "gnre: fable\n", "unknown key 'gnre'", "did you mean 'genre'"),
    "bare yes": ("A text.", "decision: yes\n", "True is not in the deck 'planted'", "known: no, yes"),
}


@pytest.mark.parametrize(("body", "front", "what", "mend"), BAD.values(), ids=BAD)
def test_a_file_that_breaks_the_format_is_named(plant: Plant, body: str, front: str, what: str, mend: str) -> None:
    with pytest.raises(TextError) as caught:
        plant(body, front)
    assert what in caught.value.what
    assert mend in (caught.value.mend or "")
    assert str(caught.value.where).endswith("late-rent.md")


def test_slots_are_said_in_all_their_forms(plant: Plant) -> None:
    body = "## user\n{who}|{who.first}|{who.last}|{who.email}|{room.cap}\n\n## assistant\nYes."
    front = "slots:\n  who: [Ana Ruiz]\n  room: [the map room]\n  domain: [shop.example]\n"
    assert plant(body, front)[0].messages[0]["content"] == "Ana Ruiz|Ana|Ruiz|ana@shop.example|The map room"


def test_pools_give_as_many_dealings_as_they_have(plant: Plant) -> None:
    dealt = plant("## user\n{a} {b}\n\n## assistant\nYes.", "slots: {a: [x, y], b: [u, v, w]}\n", variants=9)
    assert len({record.whole() for record in dealt}) == len(dealt) == 6


def test_a_call_joins_the_words_before_it(plant: Plant) -> None:
    own = "tools:\n  - send_email\n  - book_room: {description: Book., parameters: {room: Which.}}\n"
    body = f"## user\nGo.\n\n## assistant\nSo be it.\n\n## call\n{SEND}\n\n## call.2\nbook_room\nroom: 4"
    record = plant(body, own)[0]
    assert [message["role"] for message in record.messages] == ["user", "assistant"]
    calls = [call["function"]["name"] for call in record.messages[1]["tool_calls"]]
    assert calls == [tool["function"]["name"] for tool in record.tools] == ["send_email", "book_room"]
    assert record.taught().startswith("So be it.\nsend_email\nana@shop.example\n")
