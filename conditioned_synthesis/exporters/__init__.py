"""Exports of instruments for programs without this toolkit."""
