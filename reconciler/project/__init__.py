"""Reads a project: finds it, loads and checks its YAML, scans outputs, computes the plan.

What may not be done here: changing state or outputs, and talking to a provider.
"""
