"""Stage 1: labelled synthetic sounds.

plan: which clip gets which control values. generate: render a plan into a dataset folder. recordings: simulated field
recordings. engines, distributions: families of small classes, found by the word in `type`. config: their settings.
"""
