"""What a kind is checked against: a folder of recorded exchanges, written by hand from the vendor's pages.

accepted.yaml   what a clip becomes on the wire, for every model and mode (`<model>` is filled in)
refused.yaml    what is refused before sending, with the exact words; `warned` goes through with a warning
replies.yaml    every status word, every error code, odd answers (`<task>`, `<code>`, `<status>` are filled in)
exchange.yaml   one task from submit to the end
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.frozen import dataclass
from reconciler.providers.base import LOCAL, Dialect
from reconciler.providers.registry import dialect

if TYPE_CHECKING:
    from reconciler.emulator.vendor import Vendor


class ContractBroken(AssertionError):
    """A dialect does not keep a rule; the text says where."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The data of one kind. `vendor`: its emulator, if it has one; else the recorded exchanges are replayed."""

    kind: str
    folder: Path
    vendor: type[Vendor] | None = None

    @property
    def dialect(self) -> Dialect:
        """The kind's dialect, without settings."""
        return dialect(self.kind)

    @property
    def is_local(self) -> bool:
        """True for the draft renderer, which is a part of this program: it is believed."""
        return self.kind == LOCAL

    def load(self, name: str) -> Any:
        """Return the content of one data file. Raises ContractBroken if there is none."""
        return _read(self.folder / f"{name}.yaml")

    def samples(self, name: str, key: str) -> Iterator[Sample]:
        """Yield every row under a key of a data file, once for each model that it names."""
        content = self.load(name)
        shared = {field: content[field] for field in ("base", "request", "settings") if field in content}
        for number, row in enumerate(content.get(key, ())):
            for model in row.get("models", [None]):
                label = f"{number}-{model or row.get('says') or row.get('code') or row.get('is') or ''}"
                fields = fill({**shared, **row, "model": model}, {"<model>": model} if model else {})
                yield Sample(self, label, fields)


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a data file, with its placeholders filled in."""

    contract: Contract
    label: str
    fields: Mapping[str, Any]

    @property
    def dialect(self) -> Dialect:
        """The kind's dialect, with the settings of the row."""
        return dialect(self.contract.kind, self.fields.get("settings", {}))


def fill(value: Any, texts: Mapping[str, Any]) -> Any:
    """Return the value with placeholders replaced; a text that is one keeps the type of what replaces it."""
    match value:
        case str() if value in texts:
            return texts[value]
        case str():
            for name, text in texts.items():
                value = value.replace(name, str(text))
            return value
        case list():
            return [fill(item, texts) for item in value]
        case dict():
            return {key: fill(item, texts) for key, item in value.items()}
    return value


@cache
def _read(path: Path) -> Any:
    import yaml

    try:
        return yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise ContractBroken(f"{path.name} cannot be read in {path.parent}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ContractBroken(f"{path.name} is not YAML: {error}") from error
