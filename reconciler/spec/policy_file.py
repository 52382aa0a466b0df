"""Read the policy file of a machine."""

from __future__ import annotations

from reconciler.diagnostics import SpecError
from reconciler.spec.approval_fields import PolicyDecl
from reconciler.spec.interpolate import plain
from reconciler.spec.problems import Problems
from reconciler.spec.reader import Fields, read
from reconciler.spec.shape import checked
from reconciler.spec.values import Policy


def read_policy(name: str, data: bytes) -> Policy:
    """Return what the policy file of a machine says. Raises SpecError."""
    problems = Problems()
    root = read(name, data, problems)
    decl = PolicyDecl() if root is None else checked(PolicyDecl, plain(root), root, problems)
    if decl is None or problems.errors:
        raise SpecError(problems.all())
    return decl.policy(root.places() if isinstance(root, Fields) else {})
