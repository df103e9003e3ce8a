"""The tiny model is the same everywhere and behaves like a chat model."""

import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer

from teachwhy.models.folder import weights_hash
from teachwhy.models.tiny import tiny_model


def test_another_process_makes_the_same_model(tmp_path: Path) -> None:
    code = "import sys, pathlib; from teachwhy.models.tiny import tiny_model; tiny_model(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=True, capture_output=True)
    assert weights_hash(tiny_model(tmp_path / "b")) == weights_hash(tmp_path / "a")
    assert weights_hash(tiny_model(tmp_path / "c", seed=1)) != weights_hash(tmp_path / "a")


def test_making_it_leaves_the_random_state_alone(tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    tiny_model(tmp_path / "m")
    assert torch.equal(torch.rand(3), expected)


def test_text_round_trips_and_chats_are_templated(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model(tmp_path / "m"))
    text = "Grüße, 東京!  \n\tx = {1}"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    messages = [{"role": "user", "content": "Hi"}]
    chat = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert chat == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.encode("<|im_end|>") == [tokenizer.eos_token_id]
