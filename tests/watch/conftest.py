"""Projects to watch, free and paid, and edits as editors make them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.emulator.process import Emulator, emulator

DRAFTS = """\
version: 1
include: [clips/*.yaml]
defaults: {duration: 1, resolution: 480p, ratio: 1:1}
clips:
  sun: {prompt: mist at sunrise}
"""

PAID = """\
version: 1
providers:
  studio:
    kind: ark
    base_url: URL/ark
    api_key: ${env.ARK_API_KEY}
    poll_interval: 50ms
    requests_per_second: 100
    prices: [{model: "*", per_clip: 0.50}]
budget: {currency: USD}
defaults: {provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5, resolution: 480p, ratio: 16:9}
clips:
  hero: {prompt: a lamp}
"""


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator("--latency", "0.05", "--no-render", cwd=tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def paid(tmp_path: Path, vendor: Emulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARK_API_KEY", f"key-of-{tmp_path.name}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return project(tmp_path / "project", PAID.replace("URL", vendor.api))


def project(folder: Path, text: str) -> Path:
    (folder / "clips").mkdir(parents=True)
    (folder / "clipform.yaml").write_text(text, encoding="utf-8")
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    """As most editors save: another file that takes the place of the old one."""
    file, fresh = folder / "clipform.yaml", folder / "clipform.yaml~"
    before = file.read_text(encoding="utf-8")
    assert old in before
    fresh.write_text(before.replace(old, new), encoding="utf-8")
    fresh.replace(file)


def tasks(vendor: Emulator) -> int:
    return len(httpx.get(f"{vendor.api}/ledger", trust_env=False, verify=False).json()["entries"])
