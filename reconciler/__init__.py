"""clipform: `terraform apply` for AI video clips.

The command line is the interface (see `reconciler.cli`); what Python code may rely on is listed in `__all__`: the
identity of a generation, the values of a plan and of diagnostics, and the protocol that a third-party provider speaks.
Names are looked up when first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "Attempt": "records",
    "ClipformError": "diagnostics",
    "Diagnostic": "diagnostics",
    "Dialect": "providers.base",
    "Job": "providers.base",
    "Model": "providers.base",
    "Plan": "plan.model",
    "Reply": "providers.base",
    "Request": "providers.base",
    "Source": "diagnostics",
    "SpecError": "diagnostics",
    "State": "records",
    "Step": "plan.model",
    "Subject": "identity",
    "identify": "identity",
}

__all__ = sorted(["__version__", *_HOMES])


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
