"""Before hours of work, in seconds: will it go?

cli: the command. examination: which checks there are, in order. findings: what they say. plan: the
commands that would run, and what is there already; flow: how many clips pass between them.
environment, recordings, datasets, fitting, disk: one check each. scratch: a small folder that
stands in for the real ones; rehearse_sounds, rehearse_labels, rehearse_synthesis: what is measured
there; formulas, estimates: what that says of the whole.
"""
