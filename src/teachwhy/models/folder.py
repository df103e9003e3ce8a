"""A model folder: what it must hold, and the hash of what makes the model."""

import json
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import Any

from teachwhy.errors import ModelError
from teachwhy.hashing import digest, file_digest

_CONFIGS = ("config.json", "generation_config.json", "tokenizer_config.json")
_MADE_OF = (
    *_CONFIGS,
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer.json",
    "tokenizer.model",
    "*.tiktoken",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
    "additional_chat_templates/*",
)
_ABOUT_SAVING = frozenset(
    ["_name_or_path", "name_or_path", "transformers_version", "is_local", "local_files_only", "_from_model_config"]
)
"""Keys of configs that say where and by what a model was saved. They do not make it another model."""


def weights_hash(folder: Path) -> str:
    """Content hash (64 hex digits) of a model: weights, configs, tokenizer and chat template.

    Other files beside them (ledgers, optimizer states) do not count. Files are read once per process as long as size
    and time of change stay the same.

    Raises:
        ModelError: see ``check_folder``.
    """
    check_folder(folder)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    made_of = [name for name in names if any(fnmatch(name, pattern) for pattern in _MADE_OF)]
    return digest([[name, _content(folder / name)] for name in made_of])


def check_folder(folder: Path) -> Path:
    """Make sure that a folder holds a chat model that can be loaded without running foreign code.

    Raises:
        ModelError: config, safetensors weights, tokenizer or chat template are missing or cannot be read.
    """
    if not folder.is_dir():
        raise ModelError("there is no such model folder", where=folder, mend="check the path")
    if not (folder / "config.json").is_file():
        adapter = (folder / "adapter_config.json").is_file()
        mend = "merge the adapter into its base and save that" if adapter else "save the model with save_pretrained"
        raise ModelError("the model folder has no config.json", where=folder, mend=mend)
    _read_json(folder / "config.json")
    _check_weights(folder)
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json")):
        mend = "save the base model's tokenizer into the folder: tokenizer.save_pretrained(folder)"
        raise ModelError("the model folder has no tokenizer", where=folder, mend=mend)
    if not _has_template(folder):
        mend = "add the chat_template.jinja of the chat model it comes from (a base model without one cannot chat)"
        raise ModelError("the model folder has no chat template", where=folder, mend=mend)
    return folder


def _check_weights(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = set(_read_json(index).get("weight_map", {}).values())
        missing = sorted(name for name in shards if not (folder / name).is_file())
        if missing:
            what = f"the model folder lacks {len(missing)} of its {len(shards)} weight files, first {missing[0]}"
            raise ModelError(what, where=folder, mend="copy or download the folder again")
    elif not any(folder.glob("*.safetensors")):
        mend = "weights are read from safetensors only: load the model once and save it with save_pretrained"
        raise ModelError("the model folder has no .safetensors weights", where=folder, mend=mend)


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    config = folder / "tokenizer_config.json"
    return config.is_file() and bool(_read_json(config).get("chat_template"))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"the file cannot be read: {error}", where=path, mend="copy or download it again") from None
    if not isinstance(value, dict):
        raise ModelError("the file is not a JSON object", where=path, mend="copy or download it again")
    return value


def _content(path: Path) -> str:
    if path.name in _CONFIGS:
        return digest({key: value for key, value in _read_json(path).items() if key not in _ABOUT_SAVING})
    stat = path.stat()
    return _remembered_digest(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _remembered_digest(path: Path, size: int, changed: int) -> str:
    return file_digest(path)
