"""A real, weak generator over HTTP: whatever it says, the pipeline is sound and the counts add up."""

from pathlib import Path

import pytest
from embedded_endpoint import embedded_endpoint
from openai_server import serving

from teachwhy.corpora.recipes.build import build, prepare
from teachwhy.corpora.recipes.spec import Spec
from teachwhy.corpora.records import read_jsonl
from teachwhy.corpora.stages import Journal

PROMPTS = {
    "neutral-text": {"draft": ("text", "Write two sentences about {genre} in {place}.")},
    "generic-chat": {
        "message": ("user", "Write one short question about {sector}."),
        "answer": ("answer", "{user}"),
    },
}
SKIPPED = {"neutral-text": ["rewrite"], "generic-chat": ["rewrite-answer", "score"]}


@pytest.mark.embedded
@pytest.mark.parametrize("recipe", sorted(PROMPTS))
def test_a_tiny_corpus_by_the_embedded_model(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = {}
    for stage, (gives, asked) in PROMPTS[recipe].items():
        path = tmp_path / f"{stage}.md"
        path.write_text(f"---\nrole: writer\ngives: {gives}\nmax_tokens: 40\n---\n## user\n{asked}\n")
        replaced[stage] = str(path)
    spec = {
        "recipe": recipe,
        "count": 3,
        "models": {"writer": "openai-api/local/smollm2-135m"},
        "replace": replaced,
        "skip": SKIPPED[recipe],
        "limits": {"failed": 0.9},
        "retries": 0,
    }
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    with serving(embedded_endpoint(at_most=40, end_there=True)) as endpoint:
        monkeypatch.setenv("LOCAL_BASE_URL", endpoint.url)
        made = build(prepare(Spec.model_validate(spec)), tmp_path / "out")
    before = 3
    for stage in made.stages:
        assert stage.taken == before
        assert stage.taken == stage.passed + stage.dropped + sum(stage.failed.values())
        before = stage.made
    assert len(read_jsonl(tmp_path / "out" / "records.jsonl")) == made.records == before
    journals = [Journal(path) for path in (tmp_path / "out" / "stages").glob("*.jsonl")]
    paid = sum(use.calls for journal in journals for use in journal.spent.values())
    assert paid == sum(endpoint.did.values()) == sum(stage.spent.calls for stage in made.stages)
    assert all(stage.spent.tokens_out <= 40 * stage.spent.calls for stage in made.stages)
