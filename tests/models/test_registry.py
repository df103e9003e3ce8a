"""Names of models: what each means, and what a wrong one gets."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from teachwhy.errors import FetchError, ModelError
from teachwhy.models import registry
from teachwhy.models.folder import check_folder, weights_hash
from teachwhy.models.registry import PROVIDERS, find_model, list_models, local_folder
from teachwhy.models.tiny import tiny_model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "tiny"))


@pytest.fixture(autouse=True)
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHWHY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def test_the_embedded_name_means_nothing_fetched_yet() -> None:
    model = find_model("smollm2-135m")
    assert (model.kind, model.folder, model.inspect_name) == ("embedded", None, "teachwhy/smollm2-135m")
    assert model.local
    assert find_model("teachwhy/smollm2-135m") == model


@pytest.mark.parametrize("name", ["openai/gpt-5", "vllm/org/name", "mockllm/model", "openai-api/x/y", "hf/org/name"])
def test_inspects_providers_are_inspects(name: str) -> None:
    model = find_model(name)
    assert (model.kind, model.inspect_name, model.local) == ("inspect", name, False)
    with pytest.raises(ModelError, match="no weights on this machine"):
        local_folder(model)


def test_folders_by_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    for name in (str(folder), "./tiny", "tiny", "teachwhy/tiny", f"teachwhy/{folder}"):
        model = find_model(name)
        assert (model.kind, model.folder, model.inspect_name) == ("folder", folder, f"teachwhy/{folder}")
        assert local_folder(model) == folder


def test_hub_names() -> None:
    model = find_model("HuggingFaceTB/SmolLM2-360M-Instruct")
    assert (model.kind, model.folder) == ("hub", None)
    assert find_model("teachwhy/google/gemma-3-1b-it").kind == "hub"
    assert find_model("google/gemma-3-1b-it").kind == "inspect"
    assert find_model("org/name@main").kind == "hub"


def test_the_hubs_cache_is_used(made: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--org--name" / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(made, snapshot)
    reference = tmp_path / "hub" / "models--org--name" / "refs" / "main"
    reference.parent.mkdir()
    reference.write_text(snapshot.name)
    assert find_model("org/name").folder == snapshot
    assert local_folder(find_model("org/name")) == snapshot
    (snapshot / "model.safetensors").unlink()
    assert find_model("org/name").folder is None


def test_no_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    def refuse(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("Name or service not known")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(FetchError, match="cannot be downloaded") as caught:
        local_folder(find_model("org/name"))
    assert "smollm2-135m" in str(caught.value)


@pytest.mark.parametrize(("name", "hint"), [("smollm2-135", "smollm2-135m"), ("", "smollm2-135m"), ("a b/c", "vllm")])
def test_a_name_that_means_nothing(name: str, hint: str) -> None:
    with pytest.raises(ModelError, match="is not a model") as caught:
        find_model(name)
    assert hint in str(caught.value)


def test_a_folder_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder") as caught:
        find_model(str(folder.parent / "tinny"))
    assert "'tiny'" in str(caught.value)


def drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (drop("config.json"), "no config.json"),
        (drop("model.safetensors"), "no .safetensors"),
        (drop("tokenizer.json"), "no tokenizer"),
        (drop("chat_template.jinja"), "no chat template"),
        (write("config.json", "{"), "cannot be read"),
        (write("config.json", "[]"), "not a JSON object"),
        (
            write(
                "model.safetensors.index.json", json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}})
            ),
            "lacks 1 of its 1 weight files",
        ),
    ],
)
def test_what_a_folder_may_lack(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=message) as caught:
        local_folder(find_model(str(folder)))
    assert caught.value.mend


def test_an_adapter_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="no config") as caught:
        check_folder(tmp_path)
    assert "merge the adapter" in str(caught.value)


def test_the_hash_follows_what_makes_the_model(folder: Path) -> None:
    before = weights_hash(folder)
    (folder / "ledger.json").write_text("{}")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(config | {"_name_or_path": "/elsewhere", "transformers_version": "9"})
    )
    assert weights_hash(folder) == before
    (folder / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 0.5}))
    other = weights_hash(folder)
    assert other != before
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert weights_hash(folder) not in (before, other)


def test_two_checkpoints_of_one_path_have_two_hashes(tmp_path: Path) -> None:
    first = weights_hash(tiny_model(tmp_path / "m", seed=0))
    second = weights_hash(tiny_model(tmp_path / "m", seed=1))
    assert first != second
    assert weights_hash(tiny_model(tmp_path / "n", seed=0)) == first


def test_the_list_of_models(monkeypatch: pytest.MonkeyPatch) -> None:
    [model] = list_models()
    assert model.name == "smollm2-135m"
    assert "93 MB" in model.note
    monkeypatch.setattr(registry, "_cached_names", lambda: ["org/name"])
    assert [found.name for found in list_models()] == ["smollm2-135m", "org/name"]


def test_the_providers_are_inspects() -> None:
    import inspect_ai.model  # noqa: F401 - registers the providers
    from inspect_ai._util.registry import registry_find, registry_info

    names = {registry_info(thing).name for thing in registry_find(lambda info: info.type == "modelapi")}
    shipped = {name.removeprefix("inspect_ai/") for name in names if name.startswith("inspect_ai/")}
    assert shipped | {"teachwhy_scripted"} == PROVIDERS
