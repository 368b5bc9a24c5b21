"""Measuring how well a synthesiser follows its controls, and how near its sounds are to the
clips'."""
