"""Instruments for programs that know nothing of this toolkit."""
