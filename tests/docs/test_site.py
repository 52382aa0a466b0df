"""The documentation site is built without a warning; fonts, styles and scripts come with it.

A page with a diagram loads Mermaid when it is opened; without it the diagram is text.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import DOCS, ROOT


def test_the_site_is_built_strictly_and_has_every_page(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    site = tmp_path / "site"
    for page in DOCS.rglob("*.md"):
        path = page.relative_to(DOCS).with_suffix("")
        built = site / ("index.html" if path.name == "README" else f"{path}/index.html")
        html = built.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:link|script|img)[^>]*(?:href|src)="?https?://', html), path
    assert 'id="s3-6"' in (site / "design/never-pay-twice/index.html").read_text(encoding="utf-8")
