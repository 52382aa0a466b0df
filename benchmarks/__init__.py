"""Benchmarks, as ratios to a baseline measured in the same run. `README.md` has the figures."""
