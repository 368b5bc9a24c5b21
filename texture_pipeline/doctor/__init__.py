"""The doctor: checks in seconds whether hours of work will succeed.

cli: the command. examination: which checks there are, in order. findings: what they report. plan:
the commands that would run, and what exists already; flow: how many clips pass between them.
environment, recordings, datasets, fitting, disk: one check each. scratch: a small folder that
stands in for the real ones; rehearse_sounds, rehearse_labels, rehearse_synthesis: what is measured
there; formulas, estimates: the time of the whole run, calculated from that.
"""
