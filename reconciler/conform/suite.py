"""The whole suite, and where the contract of a kind is: the entry-point group `clipform.contracts`, by kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciler.conform import hostile, pure, runs, tables
from reconciler.conform.contract import Contract, ContractBroken
from reconciler.conform.rule import Case, Rule
from reconciler.diagnostics import ClipformError, Finding
from reconciler.providers import plugins
from reconciler.providers.registry import dialect

GROUP = "clipform.contracts"
RULES: tuple[Rule, ...] = (*tables.RULES, *hostile.RULES, *pure.RULES, *runs.RULES)


def cases(contract: Contract | str) -> list[Case]:
    """Return everything that is checked for a kind. Raises ClipformError for one without a contract."""
    contract = find(contract) if isinstance(contract, str) else contract
    return [case for rule in RULES for case in rule.cases(contract)]


def find(kind: str, folder: Path | None = None) -> Contract:
    """Return the contract of a kind, with the data of another folder if one is given. Raises ClipformError, also if the
    kind cannot be used."""
    contract = _installed(kind, folder)
    dialect(kind)
    return contract


def _installed(kind: str, folder: Path | None) -> Contract:
    match plugins.entries(GROUP).get(kind, ()):
        case (entry,):
            contract = plugins.load(entry)
            if not isinstance(contract, Contract) or contract.kind != kind:
                text = f"{plugins.owner(entry)}: {entry.value} is not the Contract of kind {kind!r}"
                raise ClipformError(text, code="bad-plugin")
            return Contract(kind, folder or contract.folder, contract.vendor)
        case () if folder is not None:
            return Contract(kind, folder)
        case () if kind in plugins.entries():
            text = f"the package of kind {kind!r} has no contract"
            help = f"name it in the entry-point group {GROUP}, or give the folder of its data with --data"
            raise ClipformError(text, help=help, code="no-contract")
        case ():
            help = "our own kinds are checked by our tests; --data FOLDER checks one with other data"
            raise ClipformError(f"no package has a contract of kind {kind!r}", help=help, code="no-contract")
        case several:
            names = " and ".join(sorted(map(plugins.owner, several)))
            raise ClipformError(f"two packages have a contract of kind {kind!r}: {names}", code="bad-plugin")


def findings(contract: Contract) -> Iterator[Finding]:
    """Yield one finding for each rule: with how many cases were checked, or the first that is broken."""
    for rule in RULES:
        checked, broken = 0, list[str]()
        try:
            for case in rule.cases(contract):
                checked += 1
                if trouble := _trouble(case):
                    broken.append(trouble)
        except ContractBroken as error:  # its data cannot be read
            broken.append(str(error))
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        count = "" if checked == 1 else f" ({checked or 'no'} cases)"
        detail = f"{rule.promise}{count}" if not broken else f"not kept: {rule.promise}: {broken[0]}{more}"
        yield Finding(rule.name, not broken, " ".join(detail.split()), rule.remedy if broken else "")


def _trouble(case: Case) -> str:
    try:
        case.check()
    except ContractBroken as error:
        return f"{case.label}: {error}"
    except Exception as error:  # noqa: BLE001  # whatever a dialect or its data raise is a finding
        return f"{case.label}: {type(error).__name__}: {error}"
    return ""
