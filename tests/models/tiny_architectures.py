"""Tiny random models of several architectures, built from configs: nothing is downloaded."""

from copy import deepcopy
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3TextConfig,
    LlamaConfig,
    MistralConfig,
    Phi3Config,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

_SIZE: dict[str, Any] = {
    "vocab_size": 384,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.15,  # large, so that attention is far from uniform
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
WINDOW = 16
_ALTERNATING = ["sliding_attention", "full_attention", "sliding_attention"]

CONFIGS: dict[str, PretrainedConfig] = {
    "llama": LlamaConfig(**_SIZE),
    "qwen2": Qwen2Config(**_SIZE),
    "qwen3": Qwen3Config(**_SIZE, head_dim=16),
    "mistral": MistralConfig(**_SIZE, sliding_window=WINDOW),
    "gemma2": Gemma2Config(
        **_SIZE, head_dim=16, sliding_window=WINDOW, layer_types=_ALTERNATING, attn_logit_softcapping=2.0
    ),
    "gemma3": Gemma3TextConfig(**_SIZE, head_dim=16, sliding_window=WINDOW, layer_types=_ALTERNATING),
    "phi3": Phi3Config(**_SIZE, sliding_window=WINDOW),
}


def build(name: str, *, seed: int = 0) -> Any:
    """A float32 model of the named architecture with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(deepcopy(CONFIGS[name]), dtype=torch.float32).eval()
