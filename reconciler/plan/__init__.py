"""Plan: what apply would do, and why. Pure: no files, network, clock or randomness.

Apply does what the plan showed. Questions such as "is there anything to do?" are methods of the plan, so that views do
not answer them again.
"""
