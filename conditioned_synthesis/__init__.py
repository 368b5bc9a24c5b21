"""Stage 4: from labelled recordings to what a conditioned synthesiser trains on.

analyse, balance, export: the three commands. labels, histogram: what they share. mtcrnn: that synthesiser's file format.
"""
