"""A project with a provider in memory: the fixtures of the reliability tests."""

from tests.reliability.conftest import fast_path, sim

__all__ = ["fast_path", "sim"]
