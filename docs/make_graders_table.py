"""Writes the calibration table of docs/graders.md, by grading the labelled transcripts anew.

python docs/make_graders_table.py
"""

from pathlib import Path

from teachwhy.evals.honeypots.calibration import calibrate, calibration_table

PAGE = Path(__file__).with_name("graders.md")
BEGIN, END = "<!-- calibration: made by docs/make_graders_table.py -->", "<!-- end of calibration -->"


def page_with_table(page: str) -> str:
    """The page's text with its table made anew."""
    held = calibrate()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    confusion = "\n".join(["```", *held.confusion().table("label", "rules"), "```"])
    return f"{before}{BEGIN}\n{calibration_table([held])}\n\n{confusion}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text("utf-8")), "utf-8")
