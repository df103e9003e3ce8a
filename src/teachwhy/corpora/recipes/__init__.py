"""Recipes: how teaching text is made with models, each a short list of named stages over prompts in Markdown."""
