"""The engine gives what plain transformers gives, whatever shares a batch."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from tiny_architectures import CONFIGS, build

from teachwhy.errors import ModelError
from teachwhy.models.engine import Engine, Request
from teachwhy.models.tiny import tiny_tokenizer

VOCABULARY = 384
TOLERANCE = 1e-4


def prompts() -> list[tuple[int, ...]]:
    """Prompts that share all, some, little and nothing; one is the beginning of another; one has a single token."""
    system, story = tuple(range(10, 40)), tuple(range(100, 125))
    return [
        (*system, *story, 50, 51),
        (*system, *story, 60),
        (*system, *story),
        (*system, 70, 71, 72),
        system,
        (*system[:5], 80, 81),
        (90, 91, 92, 93),
        (95,),
    ]


def plain_logprobs(model: Any, tokens: Sequence[int], begin: int) -> torch.Tensor:
    """Log-probabilities before each token from ``begin`` on, by a plain forward pass."""
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([list(tokens)]), use_cache=False).logits[0]
    return torch.log_softmax(logits, -1)[begin - 1 : -1]


def table(top: Any) -> torch.Tensor:
    """All log-probabilities of each position, in the order of the vocabulary."""
    return torch.tensor([[value for _, value in sorted(row)] for row in top])


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def pair(request: pytest.FixtureRequest) -> tuple[Engine, Any]:
    """An engine and an untouched model with the same weights."""
    return Engine(build(request.param), tiny_tokenizer()), build(request.param)


@pytest.fixture(scope="module")
def llama() -> Engine:
    engine = Engine(build("llama"), tiny_tokenizer())
    engine._stops = frozenset()
    return engine


@pytest.mark.parametrize("how_many", [8, 4, 1], ids=["nothing shared", "some shared", "all shared"])
def test_logits_equal_a_plain_forward_pass(pair: tuple[Engine, Any], how_many: int) -> None:
    engine, plain = pair
    some = prompts()[:how_many]
    requests = [Request(p, max_new_tokens=24, seed=s, logprobs=VOCABULARY) for p in some for s in range(3)]
    for request, done in zip(requests, engine.generate(requests), strict=True):
        expected = plain_logprobs(plain, request.prompt + done.tokens, len(request.prompt))
        assert done.top_logprobs is not None
        assert done.logprobs is not None
        torch.testing.assert_close(table(done.top_logprobs), expected, atol=TOLERANCE, rtol=0)
        chosen = expected[torch.arange(len(done.tokens)), list(done.tokens)]
        torch.testing.assert_close(torch.tensor(done.logprobs), chosen, atol=TOLERANCE, rtol=0)


def test_greedy_equals_generate(pair: tuple[Engine, Any]) -> None:
    engine, plain = pair
    plain.set_attn_implementation("eager")
    requests = [Request(p, max_new_tokens=20, temperature=0) for p in prompts()]
    for request, done in zip(requests, engine.generate(requests), strict=True):
        ids = torch.tensor([list(request.prompt)])
        expected = plain.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False)
        assert list(done.tokens) == expected[0, len(request.prompt) :].tolist()


def test_score_equals_the_plain_log_softmax(pair: tuple[Engine, Any]) -> None:
    engine, plain = pair
    continuations = [(5, 6, 7), (), (5, 6, 8, 9, 10), tuple(range(200, 240)), (5,)]
    for prompt in prompts()[:4]:
        for tokens, scores in zip(continuations, engine.score(prompt, continuations), strict=True):
            expected = plain_logprobs(plain, prompt + tokens, len(prompt))
            chosen = expected[torch.arange(len(tokens)), list(tokens)] if tokens else torch.zeros(0)
            torch.testing.assert_close(torch.tensor(scores), chosen, atol=TOLERANCE, rtol=0)


def test_a_long_prompt_is_computed_in_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachwhy.models.engine._PASS", 7)
    monkeypatch.setattr("teachwhy.models.engine._SCORED", 5)
    engine, plain = Engine(build("gemma3"), tiny_tokenizer()), build("gemma3")
    prompt, tokens = tuple(range(20, 80)), (5, 6, 7)
    expected = plain_logprobs(plain, prompt + tokens, len(prompt))[torch.arange(3), list(tokens)]
    for scores in engine.score(prompt, [tokens, tokens]):
        torch.testing.assert_close(torch.tensor(scores), expected, atol=TOLERANCE, rtol=0)


def test_what_a_row_says_does_not_depend_on_the_batch(llama: Engine) -> None:
    requests = [Request(p, max_new_tokens=30, seed=s) for p in prompts() for s in range(4)]
    together = llama.generate(requests)
    assert [llama.generate([request])[0].tokens for request in requests] == [done.tokens for done in together]
    shuffled = requests[::-2]
    assert [done.tokens for done in llama.generate(shuffled)] == [done.tokens for done in together[::-2]]


def test_waves_and_a_small_cache_change_nothing(llama: Engine) -> None:
    requests = [Request(p, max_new_tokens=12, seed=s) for p in prompts() for s in range(4)]
    narrow = Engine(build("llama"), tiny_tokenizer(), max_rows=5, prefix_bytes=20_000)
    narrow._stops = frozenset()
    assert narrow.generate(requests) == llama.generate(requests)
    assert sum(node.bytes() for node in narrow._tree._nodes()) <= 20_000


def test_early_stops_equal_single_rows() -> None:
    engine = Engine(build("llama"), tiny_tokenizer())
    engine._stops = frozenset(range(0, VOCABULARY, 12))
    requests = [Request(p, max_new_tokens=60, seed=s) for p in prompts() for s in range(6)]
    together = engine.generate(requests)
    assert len({len(done.tokens) for done in together}) > 8
    for request, done in zip(requests, together, strict=True):
        assert done.tokens == engine.generate([request])[0].tokens
        stopped = [i for i, token in enumerate(done.tokens) if token in engine._stops]
        assert stopped == ([len(done.tokens) - 1] if done.finish == "stop" else [])
        assert done.finish == "stop" or len(done.tokens) == 60


def test_suffixes_longer_than_the_first_room(llama: Engine) -> None:
    prompt = (10, 11, 12)
    [done] = llama.generate([Request(prompt, max_new_tokens=200, seed=1)])
    assert len(done.tokens) == 200
    scores = llama.score(prompt, [done.tokens])[0]
    [again] = llama.generate([Request(prompt, max_new_tokens=200, seed=1, logprobs=0)])
    assert again.logprobs == pytest.approx(scores, abs=TOLERANCE)
    assert again.top_logprobs == ((),) * 200


def test_the_context_limits_a_reply(llama: Engine) -> None:
    [done] = llama.generate([Request(tuple(range(10, 260)), max_new_tokens=100)])
    assert (len(done.tokens), done.finish) == (6, "length")
    with pytest.raises(ModelError, match="do not fit"):
        llama.generate([Request((5,) * 256)])
    with pytest.raises(ModelError, match="no tokens"):
        llama.score((), [(1,)])


def test_nothing_to_write(llama: Engine) -> None:
    assert llama.generate([]) == []
    [none, one] = llama.generate([Request((5, 6), max_new_tokens=0), Request((5, 7), max_new_tokens=1)])
    assert (none.tokens, none.finish, len(one.tokens)) == ((), "length", 1)


def test_stop_texts_end_a_reply_and_are_left_out(llama: Engine) -> None:
    request = Request((10, 11, 12), max_new_tokens=40, seed=3)
    [free] = llama.generate([request])
    stop = free.text[10:14]
    [done] = llama.generate([Request((10, 11, 12), max_new_tokens=40, seed=3, stop=("nowhere to be", stop))])
    assert (done.text, done.finish) == (free.text[: free.text.index(stop)], "stop")
    assert done.tokens == free.tokens[: len(done.tokens)]


def test_control_tokens_do_not_reach_the_text() -> None:
    tokenizer = tiny_tokenizer()
    engine = Engine(build("llama"), tokenizer)
    start, end = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    hello = tokenizer.encode("report")
    assert tokenizer.unk_token_id in engine._controls
    assert engine._text([start, *hello, end]) == "report"


def test_an_architecture_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("llama")
    forget = model.model.forward
    monkeypatch.setattr(model.model, "forward", lambda *a, position_ids=None, **k: forget(*a, **k))
    with pytest.raises(ModelError, match="differently"):
        Engine(model, tiny_tokenizer())


def test_strange_layers_are_refused() -> None:
    model = build("llama")
    model.config.layer_types = ["linear_attention", "full_attention", "full_attention"]
    with pytest.raises(ModelError, match="linear_attention"):
        Engine(model, tiny_tokenizer())
