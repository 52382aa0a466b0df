"""How long things take, as ratios to a baseline measured in the same run. `README.md` has the figures."""
