"""What training leaves on disk: model folders and checkpoints that are whole or are not taken for one."""

import json
import os
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from teachwhy.errors import StoreError
from teachwhy.hashing import canonical, file_digest

SPEECH = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "chat_template*",
    "additional_chat_templates/*",
    "generation_config.json",
)
"""Files that say how a model is spoken to. Training never changes them, so they are copied byte for byte."""

_NOTICES = ("LICENSE*", "NOTICE*")
_WHOLE = "whole.json"
_NOTE = "training.json"


def matching(folder: Path, patterns: tuple[str, ...]) -> Iterator[str]:
    """Relative names of the files in a folder that match one of the patterns, sorted."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return (name for name in names if any(fnmatch(name, pattern) for pattern in patterns))


def copy_speech(base: Path, folder: Path) -> None:
    """Copy tokenizer, chat template, generation config and licence of a model."""
    for name in matching(base, (*SPEECH, *_NOTICES)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(base / name, folder / name)


def make_room(folder: Path, needed: int) -> None:
    """Make sure that ``needed`` bytes are free where a folder will be.

    Raises:
        StoreError: they are not.
    """
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        what = (
            f"training needs about {needed / 1e9:.1f} GB of disk for its checkpoints, and {free / 1e9:.1f} GB are free"
        )
        raise StoreError(what, where=folder.parent, mend="free some space, write elsewhere, or train with LoRA")


def fresh(folder: Path) -> Path:
    """An empty folder in place of whatever an interrupted run left there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def share(source: Path, target: Path) -> None:
    """The same file under a second name, or its copy where the disk has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def publish(made: Path, final: Path) -> None:
    """Give a finished folder its name. Its files are on the disk before the name is."""
    for file in made.rglob("*"):
        _sync(file)
    made.rename(final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mark_whole(checkpoint: Path) -> None:
    """Seal a checkpoint: a list of its files and their hashes, written last and renamed into place."""
    draft = checkpoint / f"{_WHOLE}.part"
    draft.write_text(canonical(_hashes(checkpoint)), "utf-8")
    draft.rename(checkpoint / _WHOLE)


def newest_whole(folder: Path) -> Path | None:
    """The checkpoint with the most steps that is sealed and unchanged. All others are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=_steps, reverse=True)
    best = next((checkpoint for checkpoint in found if _is_whole(checkpoint)), None)
    drop_others(folder, best)
    return best


def drop_others(folder: Path, kept: Path | None) -> None:
    """Remove every checkpoint but one."""
    for checkpoint in folder.glob("checkpoint-*"):
        if checkpoint != kept:
            shutil.rmtree(checkpoint, ignore_errors=True)


def _steps(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _is_whole(checkpoint: Path) -> bool:
    try:
        return bool(json.loads((checkpoint / _WHOLE).read_text("utf-8")) == _hashes(checkpoint))
    except (OSError, ValueError):
        return False


def _hashes(checkpoint: Path) -> dict[str, str]:
    names = sorted(p.relative_to(checkpoint).as_posix() for p in checkpoint.rglob("*") if p.is_file())
    return {name: file_digest(checkpoint / name) for name in names if not name.startswith(_WHOLE)}


def claim(work: Path, manifest: dict[str, Any]) -> None:
    """Make a folder of work in progress, or take up the one that is there for the same training.

    Raises:
        StoreError: it belongs to another training, or to something else.
    """
    note, draft = work / _NOTE, work / f"{_NOTE}.part"
    if note.is_file() or (work.exists() and set(work.iterdir()) - {draft}):
        return refuse_other(work, manifest)
    work.mkdir(exist_ok=True)
    draft.write_text(canonical(manifest), "utf-8")
    draft.rename(note)
    return None


def release(work: Path) -> None:
    """Remove a folder of work in progress, if it is one; what says so goes last."""
    note = work / _NOTE
    if note.is_file():
        for path in work.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        shutil.rmtree(work)


def refuse_other(folder: Path, manifest: dict[str, Any]) -> None:
    """Make sure that a folder comes from one training and no other.

    Raises:
        StoreError: it does not; the error names what differs.
    """
    mend = "write to another folder, or remove this one to train anew"
    try:
        there = json.loads((folder / _NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        raise StoreError("the folder is there, but no training made it", where=folder, mend=mend) from None
    other = sorted(key for key in manifest if key != "address" and there.get(key) != manifest[key])
    if other:
        raise StoreError(f"the folder holds a training with another {', '.join(other)}", where=folder, mend=mend)
