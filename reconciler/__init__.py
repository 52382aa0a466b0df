"""clipform: `terraform apply` for AI video clips.

The command line is the interface (see `reconciler.cli`). `__all__` is the public Python API: the identity of a
generation, the values of plans and diagnostics, and the protocol of third-party providers. Names are imported on first
use, so that importing this package is fast.
"""

__version__ = "0.1.0"

DISTRIBUTION = "clipform"
"""Tells this package from another distribution of the same name that was installed over it."""

_MODULES = {
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

__all__ = sorted(["__version__", *_MODULES])


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
