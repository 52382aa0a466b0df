"""The import package `reconciler` has a namesake: what was installed over ours is noticed before anything is done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import reconciler


def test_another_package_of_the_name_is_noticed(tmp_path: Path) -> None:
    ours = Path(reconciler.__file__).parent
    shutil.copytree(ours, tmp_path / "reconciler", ignore=shutil.ignore_patterns("__pycache__", "fonts", "page"))
    (tmp_path / "reconciler" / "__init__.py").write_text('__version__ = "7"\n', encoding="utf-8")
    command = [sys.executable, "-P", "-m", "reconciler", "init", "film"]
    ended = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, timeout=100)
    assert ended.returncode == 1
    error = ended.stderr.decode()
    assert "another package named reconciler" in error and "uv tool install" in error
    assert not (tmp_path / "film").exists()
