"""Names of models: an embedded model, a folder, a Hugging Face hub id, or any name that Inspect knows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from teachwhy.errors import FetchError, ModelError, nearest
from teachwhy.models.embedded import embedded_folder, ensure_embedded, facts
from teachwhy.models.folder import check_folder

Kind = Literal["embedded", "folder", "hub", "inspect"]

OWN_PROVIDER = "teachwhy"
# fmt: off
PROVIDERS = frozenset([
    "anthropic", "azureai", "bedrock", "cloudflare", "deepseek", "fireworks", "google", "grok", "groq", "hf",
    "hf-inference-providers", "litellm-proxy", "llama-cpp-python", "meta", "mistral", "mockllm", "moonshot",
    "nnterp", "none", "ollama", "openai", "openai-api", "openai-api-completions", "openrouter", "perplexity",
    "sagemaker", "sambanova", "sglang", "teachwhy_scripted", "together", "transformer_lens", "vllm",
    "vllm-completions",
])
# fmt: on
"""Inspect's providers and our scripted one (written out, because importing Inspect takes seconds; a test compares)."""

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w.-]+)?")
_HUB_FILES = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt", "LICENSE*", "NOTICE*"]


@dataclass(frozen=True)
class ModelRef:
    """A model by name.

    ``folder`` is where its weights are on this machine: None for an endpoint, and for weights not fetched yet
    (``local_folder`` fetches them). ``inspect_name`` is what Inspect is given.
    """

    name: str
    kind: Kind
    folder: Path | None
    inspect_name: str

    @property
    def local(self) -> bool:
        """Has it weights that we can train, hash and probe?"""
        return self.kind != "inspect"


@dataclass(frozen=True)
class Available:
    """One line of ``teachwhy models``."""

    name: str
    kind: Kind
    note: str


def find_model(name: str) -> ModelRef:
    """What a name means. Nothing is downloaded and no weights are read.

    ``provider/model`` is Inspect's where the provider is one of its own; ``teachwhy/...`` forces a local meaning (so
    ``teachwhy/google/gemma-3-1b-it`` is the hub model). A hub id may carry ``@revision``.

    Raises:
        ModelError: the name means nothing, or the folder is not there.
    """
    local = name.removeprefix(f"{OWN_PROVIDER}/")
    provider, _, model = local.partition("/")
    if local == facts().name:
        folder = embedded_folder()
        return _local(local, "embedded", folder if folder.is_dir() else None)
    if local == name and provider in PROVIDERS and model:
        return ModelRef(name, "inspect", None, name)
    if local.startswith((".", "/", "~")) or (local and Path(local).is_dir()):
        return _local(local, "folder", _existing(local))
    if _HUB_ID.fullmatch(local):
        return _local(local, "hub", _cached(local))
    mend = nearest(local, [facts().name, *(f"{known}/..." for known in ("anthropic", "openai", "vllm"))])
    raise ModelError(f"'{name}' is not a model", where=name, mend=f"{mend}; or give a folder or a hub id org/name")


def local_folder(model: ModelRef) -> Path:
    """The folder with the model's weights, fetched first if need be, and checked.

    Raises:
        ModelError: an endpoint has no folder, or the folder lacks something.
        FetchError: the weights cannot be downloaded.
    """
    if model.kind == "inspect":
        mend = "name an embedded model, a folder or a hub id"
        raise ModelError("an endpoint has no weights on this machine", where=model.name, mend=mend)
    if model.kind == "embedded":
        return ensure_embedded()
    if model.kind == "folder":
        assert model.folder is not None
        return check_folder(model.folder)
    return _fetched(model)


def list_models() -> list[Available]:
    """The models that can be named without further ado: embedded ones and what the hub's cache holds."""
    known = facts()
    note = "fetched" if embedded_folder().is_dir() else f"{known.wheel_bytes / 1e6:.0f} MB, fetched at first use"
    found = [Available(known.name, "embedded", f"{known.title}, {known.license}; {note}")]
    return found + [Available(name, "hub", "in the Hugging Face cache") for name in _cached_names()]


def _local(name: str, kind: Kind, folder: Path | None) -> ModelRef:
    served = str(folder) if kind == "folder" else name
    return ModelRef(name, kind, folder, f"{OWN_PROVIDER}/{served}")


def _existing(name: str) -> Path:
    folder = Path(name).expanduser().absolute()
    if not folder.is_dir():
        around = [path.name for path in folder.parent.iterdir() if path.is_dir()] if folder.parent.is_dir() else []
        raise ModelError("there is no such model folder", where=folder, mend=nearest(folder.name, around))
    return folder


def _cached(name: str) -> Path | None:
    """The snapshot of a hub model in the local cache, if it is complete enough to be used."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    repo, _, revision = name.partition("@")
    try:
        folder = snapshot_download(repo, revision=revision or None, allow_patterns=_HUB_FILES, local_files_only=True)
        return check_folder(Path(folder))
    except (OSError, HFValidationError, ModelError):
        return None


def _fetched(model: ModelRef) -> Path:
    if model.folder is not None:
        return model.folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    repo, _, revision = model.name.partition("@")
    try:
        folder = snapshot_download(repo, revision=revision or None, allow_patterns=_HUB_FILES)
    except (RepositoryNotFoundError, HFValidationError):
        mend = "check the spelling; a private or gated model needs `hf auth login` first"
        raise ModelError("the hub shows no such model", where=repo, mend=mend) from None
    except (OSError, HfHubHTTPError) as error:
        first = str(error).strip().splitlines()[0]
        mend = f"check the network, or take the embedded model ({facts().name}) or a folder"
        raise FetchError(f"the model cannot be downloaded: {first}", where=model.name, mend=mend) from error
    return check_folder(Path(folder))


def _cached_names() -> Sequence[str]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        return []
    return sorted(repo.repo_id for repo in repos if repo.repo_type == "model")
