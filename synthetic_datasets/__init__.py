"""Stage 1: labelled synthetic sounds.

plan: which clip gets which control values; plan_picture: how they spread. generate: render a plan
into a dataset folder. recordings: simulated field recordings. rendering: what both share. engines,
distributions: families of small classes, found by the word in `type`. patches: for Pure Data and
Max. level, colour: the thesis's fader, and sloped noise. config: settings.
"""
