"""How good the judges of the suites are: labelled replies and transcripts, and agreement with their labels.

The labels lie beside what they are of (``labelled/`` in each suite's folder). The code is here and not there, for a
suite's address is made of its own folder's code, and no calibration can move a score. The honeypots have their own:
``teachwhy.evals.honeypots.calibration``.
"""
