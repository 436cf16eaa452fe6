"""Kette: the decision service of a shop's chain from order to payout."""

__version__ = "0.1.0"
