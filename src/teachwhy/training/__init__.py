"""How a model learns a corpus: rendering and masks, the render check, the dose, the token ledger, SFT and documents.

Modules: ``render`` (records to tokens), ``check`` (what is trained is what is served), ``dose`` (the seeded order),
``plan`` (stages and settings made ready), ``estimate`` (tokens and time before any spend), ``sft`` (``train``),
``learner`` (the loop, on TRL), ``ledger`` (what was read and taught), ``folders`` (on disk, whole or not at all).
Only ``learner`` imports torch when it is imported.
"""
