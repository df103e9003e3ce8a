"""Where downloaded and converted models are kept on this machine."""

import os
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """The folder for everything that can be fetched or made again: ``TEACHWHY_CACHE``, else the user's cache."""
    chosen = os.environ.get("TEACHWHY_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("teachwhy"))
