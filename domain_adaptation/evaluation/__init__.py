"""Measuring how good labels are."""
