"""Planning: what apply would do, and why. Pure: no files, network, clock or randomness.

The plan is the contract: apply does what the plan showed, and questions such as "anything to do?" are methods of the
plan, not re-derived in views.
"""
