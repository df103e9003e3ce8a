"""Everything that these suites ask, as text: for whoever checks that a corpus holds none of it."""

from functools import cache

from teachwhy.evals.capability import harmful_compliance, instructions, knowledge, over_refusal, perplexity


@cache
def held_out_texts() -> dict[str, str]:
    """All requests, prompts, questions with their answers, and passages by ``<suite>/<id>``."""
    return {
        **{f"{over_refusal.NAME}/{i}": item.request for i, item in over_refusal.items().items()},
        **{f"{harmful_compliance.NAME}/{i}": item.request for i, item in harmful_compliance.items().items()},
        **{f"{instructions.NAME}/{i}": item.prompt for i, item in instructions.items().items()},
        **{f"{knowledge.NAME}/{i}": f"{item.question} {item.right}" for i, item in knowledge.items().items()},
        **{f"{perplexity.NAME}/{i}": item.text for i, item in perplexity.items().items()},
    }
