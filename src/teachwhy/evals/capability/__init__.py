"""Capability and cost: what teaching took away or gave besides the behaviour it was for.

Each suite is a ``Suite`` for a study and one or more plain Inspect tasks. docs/capability.md says how to run them.
"""
