"""A family file that breaks the format is named with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from teachwhy.errors import TeachwhyError
from teachwhy.scenarios.checks import check_apart, check_family
from teachwhy.scenarios.family import Family, FamilyMeta, families, family
from teachwhy.texts import load_text

Edit = Callable[[str], str]


def edited(tmp_path: Path, edit: Edit, id: str = "harm-tide-road") -> Path:
    """A copy of a family's file after an edit, in a folder of its kind."""
    source = family(id).path
    folder = tmp_path / source.parent.name
    folder.mkdir(exist_ok=True)
    text = source.read_text("utf-8")
    assert edit(text) != text
    path = folder / source.name
    path.write_text(edit(text), "utf-8")
    return path


def loaded(path: Path) -> Family:
    made = Family(load_text(path, FamilyMeta))
    check_family(made)
    return made


def swapped(old: str, new: str) -> Edit:
    return lambda text: text.replace(old, new, 1)


def without(section: str) -> Edit:
    def cut(text: str) -> str:
        before, _, rest = text.partition(f"## {section}\n")
        _, _, after = rest.partition("\n## ")
        return f"{before}## {after}"

    return cut


@pytest.mark.parametrize(
    ("edit", "said", "landmark"),
    [
        (without("brief.twin"), "the benign twin is missing: no section '## brief.twin'", "## brief.ally"),
        (without("full.twin"), "the benign twin is missing: no section '## full.twin'", "## full.task.2"),
        (without("twin.reply.1"), "the benign twin is missing", "## right.8"),
        (without("brief.goal.swap"), "a section is missing: '## brief.goal.swap'", "## brief.goal.yes"),
        (without("wrong.8"), "a section is missing: '## wrong.8'", "## right.7"),
        (
            swapped("When: conflict=swap", "When: conflict=swop"),
            "unknown factor level 'conflict=swop'",
            "conflict=swop",
        ),
        (swapped("When: ally=yes", "When: always"), "no mail says 'When: ally=yes'", "## full.mail.1"),
        (swapped("Subject: Barrier\n", ""), "the mail has no subject", "## full.mail.3"),
        (swapped("a {car} stands on", "a {cart} stands on"), "the slot '{cart}' is never filled", "{cart}"),
        (swapped("slots:\n", "slots:\n  boat: [a, b]\n"), "the pool 'boat' is never used", "  boat:"),
        (swapped("## brief.ally", "## brief.aly"), "a section is missing: '## brief.ally'", "## brief.conflict.swap"),
        (swapped("## full.calendar", "## full.calender"), "unknown section '## full.calender'", "## full.calender"),
        (swapped("tools: [send_email,", "tools: [send_mail,"), "unknown tool 'send_mail'", "tools:"),
        (swapped("tools: [send_email,", "tools: [set_job, send_email,"), "'set_job' has nothing to act on", "tools:"),
        (swapped('alerts: ["{post}"]', 'alerts: ["P3"]'), "there is no alert 'P3'", "  harm:"),
        (swapped('  alert: "{drill}"', '  alert: "P12"'), "there is no alert 'P12'", "  alert:"),
        (swapped("  tool: cancel_alert", "  tool: write_file"), "'write_file' is not a tool", "  tool:"),
        (
            swapped("alert: {post}\nreason: It was", "alert: {post}\nwhy: It was"),
            "'cancel_alert' is called",
            "## wrong.2",
        ),
        (swapped("about: {post}\ntext: A {car}", "text: A {car}"), "'file_report' is called with text", "## right.7"),
        (swapped("id: harm-tide-road", "id: harm-tide"), "is not the file's name", "id:"),
    ],
)
def test_faults_are_named_with_file_and_line(tmp_path: Path, edit: Edit, said: str, landmark: str) -> None:
    path = edited(tmp_path, edit)
    with pytest.raises(TeachwhyError) as failure:
        loaded(path)
    assert said in str(failure.value)
    lines = path.read_text("utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if landmark in line)
    assert f"{path}, line {number}" in str(failure.value), (number, str(failure.value))


def test_an_unknown_level_comes_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TeachwhyError, match="did you mean 'ally=yes'"):
        loaded(edited(tmp_path, swapped("When: ally=yes", "When: ally=yess")))


def test_a_job_says_its_state(tmp_path: Path) -> None:
    path = edited(tmp_path, swapped("State: off", "State: asleep"), "evasion-night-press")
    with pytest.raises(TeachwhyError, match="a job begins with 'State: on'"):
        loaded(path)


def test_pairs_use_one_tool(tmp_path: Path) -> None:
    edit = swapped(
        "## right.1\nset_job\njob: {watch}\nstate: on\n", "## right.1\nsend_email\nto: {target.email}\nbody: x\n"
    )
    path = edited(tmp_path, lambda text: edit(text).replace("body: x\nreason:", "body:"), "evasion-night-press")
    with pytest.raises(TeachwhyError, match="only 7 pairs use one tool"):
        loaded(path)


def test_training_and_held_out_families_share_no_sentence(tmp_path: Path) -> None:
    shared = "Nobody on this island has ever asked a boat to wait for a letter"
    taught = loaded(edited(tmp_path, swapped("I do not ask twice,", f"{shared}. I do not ask twice,")))
    other = edited(
        tmp_path,
        lambda text: text.replace("split: train", "split: held-out").replace("Open: the knife", f"{shared}. The knife"),
        "evasion-night-press",
    )
    with pytest.raises(TeachwhyError, match="share a sentence: 'nobody on this island has ever") as failure:
        check_apart([taught, loaded(other)])
    for made in (taught.path, other):
        line = next(n for n, line in enumerate(made.read_text("utf-8").splitlines(), start=1) if shared in line)
        assert str(made) in str(failure.value)
        assert line > 0


def test_a_shared_sentence_is_found_around_slots(tmp_path: Path) -> None:
    """Other names in the same sentence do not make it another one."""
    one, other = "{warden.first} keeps a lamp", "{keeper.first} keeps a lamp"
    rest = "burning for those who come late over the wet stones"
    taught = loaded(edited(tmp_path, swapped("I do not ask twice,", f"{one} {rest}. I do not ask twice,")))
    held = edited(
        tmp_path,
        lambda text: text.replace("split: train", "split: held-out").replace(
            "Open: the knife", f"{other} {rest}. Knife"
        ),
        "evasion-night-press",
    )
    with pytest.raises(TeachwhyError, match="share a sentence"):
        check_apart([taught, loaded(held)])


def test_two_training_families_may_share_one() -> None:
    check_apart([f for f in families() if f.meta.split == "train"] * 2)
