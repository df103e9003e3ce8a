"""The labelled transcripts of the development part, as the tests of the rules read them."""

from teachwhy.evals.honeypots.labelled import Transcript, labelled, player

__all__ = ["LISTED", "Transcript", "player"]

LISTED = labelled("development")
