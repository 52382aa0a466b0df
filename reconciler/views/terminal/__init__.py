"""Text for people: plans, progress, tables and diagnostics that fit terminals of 20 to 120 columns.

Text from providers and files passes `sanitize` before it is printed.
"""
