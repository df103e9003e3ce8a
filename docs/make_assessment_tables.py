"""Write the tables of docs/assessment.md from the seeds and dimensions: `python docs/make_assessment_tables.py`."""

import re
from pathlib import Path

from teachwhy.evals.assessment.dimensions import all_dimensions
from teachwhy.evals.assessment.seeds import all_seeds

PAGE = Path(__file__).parent / "assessment.md"


def dimensions_table() -> str:
    rows = [
        f"| `{d.id}` | {d.meta.better} | {d.meta.composite or 'none'} | {d.meta.sheet} | {d.meta.summary} |"
        for d in all_dimensions().values()
    ]
    return "\n".join(["| dimension | better | composite | sheet | what it is |", "|---|---|---|---|---|", *rows])


def seeds_table() -> str:
    rows = [
        f"| `{s.id}` | {s.meta.sector} | {s.meta.place}, {s.meta.era} | {len(s.meta.tools)} | {s.meta.turns} |"
        for s in all_seeds().values()
    ]
    return "\n".join(["| seed | sector | where and when | tools | turns |", "|---|---|---|---:|---:|", *rows])


def page_with_tables(page: str) -> str:
    """The page with both tables made anew."""
    for name, table in (("dimensions", dimensions_table()), ("seeds", seeds_table())):
        begin, end = f"<!-- {name}: made by docs/make_assessment_tables.py -->", f"<!-- end of {name} -->"
        page = re.sub(f"{begin}.*?{end}", lambda _, t=table, b=begin, e=end: f"{b}\n{t}\n{e}", page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
