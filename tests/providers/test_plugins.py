"""Kinds of other packages: found by entry points, loaded only where they are named, and not trusted to be right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.cli.app import main
from reconciler.diagnostics import SpecError
from reconciler.providers import plugins
from reconciler.providers.base import Accepted, NotSent, Refusal, Rejected, Reply, Unknown
from reconciler.providers.error_codes import proved
from reconciler.providers.registry import BUILT_IN, catalogues, dialect, is_ours, kinds

MODULE = """
from reconciler.providers.uniall.dialect import Uniall

class Studio(Uniall):
    kind = "studio"
    base_url = "https://api.studio.example"

class Other(Uniall):
    kind = "other"

def fails(settings):
    raise OSError("no such file")

number = 7
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)

    def add(
        factory: str = "studio_kind:Studio", name: str = "studio", version: str = "1.0", kind: str = "studio"
    ) -> None:
        package = site / f"{name}.dist-info"
        package.mkdir(parents=True, exist_ok=True)
        (site / "studio_kind.py").write_text(MODULE, encoding="utf-8")
        (package / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
        )
        (package / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{kind} = {factory}\n", encoding="utf-8")
        plugins.entries.cache_clear()

    plugins.entries.cache_clear()
    yield add
    plugins.entries.cache_clear()
    sys.modules.pop("studio_kind", None)


def problem(kind: str) -> str:
    with pytest.raises(SpecError) as caught:
        dialect(kind)
    [diagnostic] = caught.value.diagnostics
    return diagnostic.message


def test_another_package_adds_a_kind_and_cannot_take_ours(install: Install) -> None:
    install()
    install("studio_kind:Other", "thief", kind="ark")
    assert kinds() == (*BUILT_IN, "studio")
    assert type(dialect("studio")).__name__ == "Studio"
    assert type(dialect("ark")).__module__ == "reconciler.providers.ark.dialect"
    assert not is_ours("studio") and is_ours("ark") and is_ours("http:acme")


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        ("studio_kind:Nothing", "cannot be loaded: AttributeError"),
        ("no_such_module:Studio", "cannot be loaded: ModuleNotFoundError"),
        ("studio_kind:fails", "cannot be used: OSError: no such file"),
        ("studio_kind:number", "it is not a factory"),
        ("studio_kind:dict", "cannot be loaded"),
        ("studio_kind:Other", "its dialect calls itself 'other'"),
        ("builtins:dict", "it is not a Dialect"),
    ],
)
def test_a_kind_that_cannot_be_used_is_an_error_in_words(factory: str, says: str, install: Install) -> None:
    install(factory)
    message = problem("studio")
    assert message.startswith("kind 'studio' of studio 1.0 ") and says in message


def test_two_packages_with_one_kind_are_an_error(install: Install) -> None:
    install()
    install(name="second", version="2.0")
    assert problem("studio") == "two packages have kind 'studio': second 2.0 and studio 1.0"


PROJECT = """version: 1
providers: {vendor: {kind: KIND, api_key: "${env.STUDIO_KEY}", base_url: "http://127.0.0.1:9"}}
clips: {lamp: {provider: vendor, model: seedance2.0-720p, duration: 5, prompt: a lamp}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_KEY", "k")
    project = tmp_path / "film"
    project.mkdir()
    (project / "clipform.yaml").write_text(PROJECT.replace("KIND", "studio"), encoding="utf-8")
    return project


def test_it_is_imported_only_where_a_project_or_a_command_names_it(
    install: Install, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install()
    for line in (["--help"], ["models"], ["explain", "ark"], ["models", "--kind", "ark"]):
        main(["-C", str(folder.parent), *line])
        assert "studio_kind" not in sys.modules, line
    assert all(spoken.kind != "studio" for spoken in catalogues([]))
    capsys.readouterr()
    main(["-C", str(folder), "--json", "models"])
    assert "studio_kind" in sys.modules and '"studio"' in capsys.readouterr().out


def test_a_broken_package_is_an_error_at_the_line_of_its_provider(
    install: Install, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("studio_kind:Nothing")
    assert main(["-C", str(folder), "--no-color", "plan"]) == 1
    assert "clipform.yaml:2:" in (text := capsys.readouterr().err) and "kind 'studio' of studio 1.0" in text


def test_a_saved_plan_is_stale_once_the_package_changed(
    install: Install, folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    install()
    plan = str(tmp_path / "my.plan")
    assert main(["-C", str(folder), "plan", "--out", plan]) == 0
    install(version="1.1")
    capsys.readouterr()
    assert main(["-C", str(folder), "--json", "apply", plan, "--yes"]) == 4
    assert "stale" in capsys.readouterr().out


@pytest.mark.parametrize("status", [408, 409, 425, 499, 500, 502, 503, 504])
def test_a_refusal_that_its_status_does_not_prove_is_never_sent_again(status: int) -> None:
    claimed = Rejected(Refusal.BUSY, "busy", "try again")
    assert isinstance(proved(Reply(status), claimed), Unknown)
    assert proved(Reply(429), claimed) is claimed and proved(Reply(200), claimed) is claimed


@pytest.mark.parametrize("answer", [None, "t1", NotSent("nothing left"), Accepted(""), Accepted("a b"), Accepted(7)])  # type: ignore[arg-type]
def test_an_answer_that_no_dialect_may_give_is_unclear(answer: object) -> None:
    assert isinstance(proved(Reply(200), answer), Unknown)
