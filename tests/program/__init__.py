"""Starts of the program that cost milliseconds."""
