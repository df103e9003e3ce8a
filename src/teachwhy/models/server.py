"""Gathers requests from concurrent tasks into batches and runs them, one batch at a time, in a thread of its own."""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from teachwhy.errors import ModelError
from teachwhy.models.chat import Message, Tool, prompt_ids
from teachwhy.models.folder import weights_hash

if TYPE_CHECKING:
    from teachwhy.models.engine import Completion, Engine

_KEPT = 2  # engines in memory: the model under study and perhaps a local grader


@dataclass(frozen=True)
class Source:
    """Which weights to serve, and how. Engines are kept by the weights' content, not by their path."""

    folder: Path
    device: str | None = None
    dtype: str | None = None
    max_batch: int = 64
    quiet: float = 0.15


@dataclass(frozen=True)
class Written:
    """A completion that is wanted: a conversation and the settings of an engine's request."""

    messages: list[Message]
    tools: list[Tool]
    max_new_tokens: int
    seed: int
    temperature: float
    top_p: float
    top_k: int
    stop: tuple[str, ...]
    logprobs: int | None


@dataclass(frozen=True)
class Answer:
    """A completion and what is to be known of it. ``completion`` is None if the prompt fills the context.

    ``names`` are the texts of the tokens whose log-probabilities are reported; ``seconds`` is the batch's time.
    """

    completion: "Completion | None"
    prompt_tokens: int
    weights: str
    seconds: float
    names: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Scoring:
    messages: list[Message]
    tools: list[Tool]
    continuations: Sequence[str]


@dataclass
class _Job:
    source: Source
    wanted: Written | _Scoring
    future: "Future[Any]"


_waiting: "queue.Queue[_Job]" = queue.Queue()
_worker: threading.Thread | None = None
_starting = threading.Lock()
_engines: "OrderedDict[tuple[str, str | None, str | None, int], Engine]" = OrderedDict()


def ask(source: Source, wanted: Written) -> "Future[Answer]":
    """Ask for a completion. The future also carries any error."""
    return _submit(_Job(source, wanted, Future()))


def scored(
    source: Source, messages: list[Message], tools: list[Tool], continuations: Sequence[str]
) -> "Future[list[list[float]]]":
    """Ask for the log-probabilities (nats) of continuations of a conversation, token by token."""
    return _submit(_Job(source, _Scoring(messages, tools, continuations), Future()))


def engine_of(source: Source) -> "Engine":
    """The engine that serves these weights, loaded if need be. To be called from one thread at a time."""
    from teachwhy.models.engine import Engine

    key = (weights_hash(source.folder), source.device, source.dtype, source.max_batch)
    if key not in _engines:
        while len(_engines) >= _KEPT:
            _engines.popitem(last=False)
        engine = Engine.load(source.folder, device=source.device, dtype=source.dtype, max_rows=source.max_batch)
        if weights_hash(source.folder) != key[0]:
            raise ModelError("the weights changed while they were loaded", where=source.folder, mend="run it again")
        _engines[key] = engine
    _engines.move_to_end(key)
    return _engines[key]


def _submit(job: _Job) -> "Future[Any]":
    global _worker
    with _starting:
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_serve, name="teachwhy-engine", daemon=True)
            _worker.start()
    _waiting.put(job)
    return job.future


def _serve() -> None:
    while True:
        for source, jobs in _gather().items():
            live = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            try:
                if live:
                    _run(source, live)
            except BaseException as error:
                for job in live:
                    if not job.future.done():
                        job.future.set_exception(error)


def _gather() -> dict[Source, list[_Job]]:
    """Wait for requests until none has come for the quiet time, or until one model has a full batch."""
    jobs: dict[Source, list[_Job]] = {}
    job = _waiting.get()
    while True:
        same = jobs.setdefault(job.source, [])
        same.append(job)
        if len(same) >= job.source.max_batch:
            return jobs
        try:
            job = _waiting.get(timeout=job.source.quiet)
        except queue.Empty:
            return jobs


def _run(source: Source, jobs: Sequence[_Job]) -> None:
    engine = engine_of(source)
    written: list[tuple[_Job, Written, tuple[int, ...]]] = []
    for job in jobs:
        try:
            prompt = tuple(prompt_ids(engine.tokenizer, job.wanted.messages, job.wanted.tools))
            if isinstance(job.wanted, _Scoring):
                job.future.set_result(_score(engine, prompt, job.wanted))
            else:
                written.append((job, job.wanted, prompt))
        except Exception as error:  # a conversation that this model's template refuses must not stop the others
            job.future.set_exception(error)
    _write(engine, weights_hash(source.folder), written)


def _score(engine: "Engine", prompt: tuple[int, ...], wanted: _Scoring) -> list[list[float]]:
    encode = engine.tokenizer.encode
    return engine.score(prompt, [encode(text, add_special_tokens=False) for text in wanted.continuations])


def _write(engine: "Engine", weights: str, jobs: Sequence[tuple[_Job, Written, tuple[int, ...]]]) -> None:
    from teachwhy.models.engine import Request

    began = time.monotonic()
    fitting = [(job, wanted, prompt) for job, wanted, prompt in jobs if len(prompt) < engine.context]
    requests = [
        Request(
            prompt=prompt,
            max_new_tokens=wanted.max_new_tokens,
            seed=wanted.seed,
            temperature=wanted.temperature,
            top_p=wanted.top_p,
            top_k=wanted.top_k,
            stop=wanted.stop,
            logprobs=wanted.logprobs,
        )
        for _, wanted, prompt in fitting
    ]
    done = engine.generate(requests)
    seconds = time.monotonic() - began
    for (job, _, prompt), completion in zip(fitting, done, strict=True):
        job.future.set_result(Answer(completion, len(prompt), weights, seconds, _names(engine, completion)))
    for job, _, prompt in jobs:
        if not job.future.done():
            job.future.set_result(Answer(None, len(prompt), weights, seconds))


def _names(engine: "Engine", completion: "Completion") -> dict[int, str]:
    """The texts of the tokens whose log-probabilities are reported."""
    shown = {token for top in completion.top_logprobs or () for token, _ in top}
    shown |= set(completion.tokens) if completion.logprobs is not None else set()
    return {token: str(engine.tokenizer.decode([token])) for token in shown}
