"""How a model learns a corpus: rendering and masks, the render check, the dose, the token ledger, SFT and documents.

Modules: ``render`` (records to tokens), ``check`` (what is trained is what is served), ``dose`` (the seeded order),
``ledger`` (what was read and taught), ``estimate`` (tokens and time before any spend), ``sft`` (``train``),
``learner`` (the loop, on TRL), ``folders`` (what lies on disk, whole or not at all).
"""
