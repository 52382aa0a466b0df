"""The contract of kind `lumen`: recorded exchanges, written by hand from the vendor's page."""

from pathlib import Path

from reconciler.conform import Contract

CONTRACT = Contract("lumen", Path(__file__).parent)
