"""A tiny random chat model, made on the spot: for tests and for ``teachwhy doctor``. It says nothing sensible."""

from pathlib import Path
from typing import Any

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CONTROLS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_TEXT = """The assistant reads the message, thinks about who is affected, and answers with its reasons.
You are a helpful assistant. What should I do? I would tell them the truth, because they asked and will rely on it.
<tool_call>{"name": "send_email", "arguments": {"to": "sam@example.org", "subject": "Report", "body": "Dear Sam"}}
Please write the report, check the numbers 0123456789, and send it to the team before noon. No, thank you."""


def tiny_model(folder: Path, *, seed: int = 0, template: str = CHAT_TEMPLATE) -> Path:
    """Save a random two-layer Llama (about 0.1 million parameters) with tokenizer and chat template.

    The same seed and template always give the same weights. A chat template of one's own may be given.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(template)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,  # tied, a random model only repeats what it reads
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_tokenizer(template: str = CHAT_TEMPLATE) -> Any:
    """A byte-level tokenizer of a few hundred tokens (any text round-trips), with ChatML's control tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=384, special_tokens=_CONTROLS, initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(_TEXT.splitlines(), trainer)
    end, start, stop = _CONTROLS
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        bos_token=start,
        eos_token=stop,
        pad_token=stop,
        unk_token=end,
        model_max_length=4096,
        chat_template=template,
    )
