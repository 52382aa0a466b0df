"""clipform: `terraform apply` for AI video clips.

`open` returns a project, to plan and apply from a program; see `reconciler.api`. `__all__` is the public Python API:
that function, the values of plans, events and diagnostics, the identity of a generation, and the protocol of
third-party providers. Names are imported on first use, so that importing this package is fast.
"""

__version__ = "0.1.0"

DISTRIBUTION = "clipform"
"""Tells this package from another distribution of the same name that was installed over it."""

_MODULES = {
    "Attempt": "records",
    "Choice": "project.model",
    "Validated": "api.program",
    "ClipformError": "diagnostics",
    "Diagnostic": "diagnostics",
    "Dialect": "providers.base",
    "Event": "events",
    "EventKind": "events",
    "Job": "providers.base",
    "Model": "providers.base",
    "Offer": "api.offer",
    "Plan": "plan.model",
    "Planned": "project.model",
    "Program": "api.program",
    "Refused": "diagnostics",
    "Reply": "providers.base",
    "Request": "providers.base",
    "SavedPlan": "project.saved_plan",
    "Source": "diagnostics",
    "SpecError": "diagnostics",
    "State": "records",
    "StateLocked": "diagnostics",
    "Step": "plan.model",
    "Subject": "identity",
    "Summary": "events",
    "identify": "identity",
    "open": "api.program",
    "read_plan": "api.offer",
}

__all__ = sorted(["__version__", *_MODULES])


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
