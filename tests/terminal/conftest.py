"""A project with something of everything, paid for at the emulator, and a place for what a screen shows."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.emulator.process import Emulator, emulator
from tests.terminal import picture
from tests.terminal.pane import Pane, pane

SCREENS = Path(__file__).parent / "screens"

SPEC = """\
version: 1
vars: {product: Aurora lamp}
providers:
  studio:
    kind: ark
    base_url: URL/ark
    api_key: ${env.ARK_API_KEY}
    poll_interval: 50ms
    requests_per_second: 100
    prices: [{model: "*", per_clip: 0.50}]
  other:
    kind: 3hei
    base_url: URL/3hei
    api_key: ${env.STUDIO_API_KEY}
    poll_interval: 50ms
    requests_per_second: 100
budget: {currency: USD}
defaults: {provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5, resolution: 480p, ratio: "16:9"}
clips:
  hero:
    prompt: ${vars.product} on a marble table, slow push-in, warm evening light from a window on the left, dust in air
  hero-orbit:
    prompt: the camera orbits the lamp
    first_frame: ${clips.hero.last_frame}
  social:
    matrix: {ratio: ["16:9", "9:16"], lang: [en, zh]}
    prompt: ${vars.product}, a storefront with signs in ${matrix.lang}
    ratio: ${matrix.ratio}
    output: renders/social/${matrix.lang}-${matrix.ratio}.mp4
  poster:
    matrix: {city: [上海, 北京]}
    prompt: 霓虹灯下的雨夜街道，镜头缓慢推近，行人撑伞走过
    output: renders/海报/${matrix.city}.mp4
    overrides: [{when: {city: 北京}, set: {tags: [north]}}]
  moody: {prompt: rain on glass, takes: 2, pick: 2}
  at-the-mercy-of-the-moderation: {prompt: a very long night, model: doubao-seedance-1-5-pro-251215}
  in-doubt: {prompt: was it bought, provider: other, model: doubao-seedance-2-0-fast}
  unpriced: {prompt: a torch, provider: other, model: doubao-seedance-2-0, output: renders/torch.mp4}
"""

FAULTS = """\
faults:
  - {when: {phase: submit, model: "doubao-seedance-1-5*"}, do: fail}
  - {when: {phase: submit, dialect: 3hei, model: "*fast*"}, do: status, status: 500, accepted: true}
"""

_FILTERS = (
    (r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ|\s+\d\d:\d\d(:\d\d)?\s+UTC)", "WHEN"),
    (r"\bcgt-\d+-[0-9a-f]+", "TASK"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b[0-9a-f]{30,64}(\n[0-9a-f]+)?\b", "SHA"),
    (r"v1:[0-9a-f]{10}\b", "v1:KEY"),
    (r"objects/[0-9a-f]{2}/", "objects/XX/"),
    (r"\b\d+\.\d s\b", "TIME"),
    (r"(seed (?:used|sent) +)\d+", r"\1SEED"),
    (r"\d+\.\d GB", "SIZE"),
    (r"SQLite [\d.]+", "SQLite N"),
    (r"\d+ events", "N events"),
    (r"(attempt +)#\d+", r"\1#N"),  # clips start side by side
)


def filtered(text: str) -> str:
    """A screen without what differs from run to run. Where a line is folded depends on none of it."""
    for pattern, name in _FILTERS:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Two of its models fail, each in its own way."""
    folder = tmp_path_factory.mktemp("emulator")
    (folder / "faults.yaml").write_text(FAULTS, encoding="utf-8")
    with emulator("--latency", "0.1", "--no-render", "--faults", str(folder / "faults.yaml"), cwd=folder) as running:
        yield running


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Credentials, and no proxy."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        "ARK_API_KEY": f"key-{secrets.token_hex(4)}",
        "STUDIO_API_KEY": f"key-{secrets.token_hex(4)}",
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
        **{name: "" for proxy in proxies for name in (proxy, proxy.lower())},
    }


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory, vendor: Emulator) -> Path:
    """The project before its first apply."""
    return _written(tmp_path_factory.mktemp("fresh"), vendor)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, vendor: Emulator, environ: dict[str, str]) -> Path:
    """The project after an apply and some edits: something of everything."""
    folder = _written(tmp_path_factory.mktemp("made"), vendor)
    with pane(folder, "apply", "--yes", columns=80, rows=120, env=environ) as screen:
        assert screen.end() == 3
        (folder / "apply.txt").write_text(screen.text, encoding="utf-8")
    file = folder / "clipform.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("slow push-in", "slow pull-out").replace("缓慢推近", "缓慢拉远"), encoding="utf-8")
    (folder / "renders/torch.mp4").write_bytes(b"mine")
    (folder / "renders/moody.mp4").unlink()
    with closing(sqlite3.connect(folder / "state" / "clipform.db")) as database, database:
        database.execute("UPDATE generation SET created = created - 3 * 86400")  # an age that no second changes
    return folder


def _written(folder: Path, vendor: Emulator) -> Path:
    (folder / "clipform.yaml").write_text(SPEC.replace("URL", vendor.api), encoding="utf-8")
    return folder


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Callable[[Pane, str], None]:
    """`kept(screen, name)`: draw the screen, and compare its text with what is in `screens/`."""

    def check(screen: Pane, name: str) -> None:
        picture.draw(screen.screen, name)
        file = SCREENS / f"{name}.txt"
        if request.config.getoption("--update"):
            file.write_text(filtered(screen.text), encoding="utf-8")
        assert filtered(screen.text) == file.read_text(encoding="utf-8")

    return check
