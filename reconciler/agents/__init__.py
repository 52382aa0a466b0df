"""The tools that an agent gets, over MCP: what is free, and an apply of a plan that a person has approved.

An agent reads prompts and providers' words; they are data, and every answer says so. Nothing here agrees to anything in
a person's place: trust, approval and caps are what they are for a program that asks nobody (`reconciler.api`).
"""
