"""Read a project: find it, load and check its YAML, scan its outputs, compute the plan.

Nothing here changes state or outputs, or talks to a provider.
"""
