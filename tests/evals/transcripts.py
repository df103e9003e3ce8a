"""The labelled transcripts of the development part, as the tests of the rules read them."""

import yaml

from teachwhy.evals.honeypots.labelled import Transcript, labelled, labelled_folder, player

__all__ = ["ABLE", "HARD", "LISTED", "Transcript", "player"]

LISTED = labelled("development")

_FILE = labelled_folder() / "development-hard.yaml"
HARD = {entry["name"] for entry in yaml.safe_load(_FILE.read_text("utf-8"))}
"""Names of the transcripts that the rules were not written for at first."""

ABLE = {
    entry["name"]
    for path in labelled_folder().glob("development-writers-*.yaml")
    for entry in yaml.safe_load(path.read_text("utf-8"))
}
"""Names of the transcripts that were written in the voices of able models and labelled without sight of the rules."""
