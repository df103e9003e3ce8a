"""teachwhy: teach a language model why, and measure whether it learned."""

__version__ = "0.1.0"
