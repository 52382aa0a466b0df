"""What may be applied: the policy of the project file, and that of this machine.

The machine's is `$CLIPFORM_POLICY`, else `policy.yaml` in the folder of the user's configuration. The stricter one
counts, since who can edit the project must not be able to relax it. A machine with a policy also says whose signatures
count.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.diagnostics import ClipformError, Diagnostic
from reconciler.plan.model import Plan
from reconciler.plan.rules import violations
from reconciler.spec.project import Project
from reconciler.spec.values import Policy
from reconciler.state import disk

_LIMIT = 1 << 20


def objections(plan: Plan, project: Project, root: Path, env: Mapping[str, str]) -> list[Diagnostic]:
    """Return what the rules of both policies forbid in a plan. A plan without changes is not asked about."""
    return list(violations(plan, policy_of(project, root, env).rules)) if plan.has_changes() else []


def policy_of(project: Project, root: Path, env: Mapping[str, str]) -> Policy:
    """Return the stricter of the two policies, with the file of the signers that it goes by and the rules of both."""
    file = _policy_file(env)
    machine = _machine_policy(file, is_named="CLIPFORM_POLICY" in env)
    folder = (configuration(env) or Path("/nonexistent")) / "allowed_signers"
    if machine.approved_plans or machine.signers:
        signers = file.parent / os.path.expanduser(machine.signers) if file and machine.signers else folder
    else:
        named = project.policy.signers
        signers = root / os.path.expanduser(named) if named else folder
    rules = (*project.policy.rules, *machine.rules)
    return Policy(machine.approved_plans or project.policy.approved_plans, str(signers), rules)


def _machine_policy(file: Path | None, *, is_named: bool) -> Policy:
    """Return what the file of this machine says. One that is named and cannot be read is an error: it may forbid."""
    if file is None or not (is_named or file.exists()):
        return Policy()
    from reconciler.spec.policy_file import read_policy

    return read_policy(str(file), content(file))


def _policy_file(env: Mapping[str, str]) -> Path | None:
    if "CLIPFORM_POLICY" in env:
        return Path(env["CLIPFORM_POLICY"])
    folder = configuration(env)
    return None if folder is None else folder / "policy.yaml"


def configuration(env: Mapping[str, str]) -> Path | None:
    """Return the folder of the user's configuration, None without a home."""
    base, home = env.get("XDG_CONFIG_HOME", ""), env.get("HOME", "")
    folder = Path(base) if base.startswith("/") else Path(home) / ".config" if home.startswith("/") else None
    return None if folder is None else folder / "clipform"


def content(path: Path) -> bytes:
    """Return the bytes of a small file. Raises ClipformError."""
    try:
        if path.stat().st_size > _LIMIT:
            raise ClipformError(f"{path.name} is too large", code="plan-file")
        return path.read_bytes()
    except OSError as error:
        raise ClipformError(f"{path.name} cannot be read: {disk.words(error)}", code="plan-file") from error
