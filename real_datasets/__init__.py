"""Stage 2: recordings cut to audible segments of one length.

build: make the dataset folder. segments: cutting, silence, names. sources: where recordings come from, a family of small
classes. survey: what a build would make. config: the settings.
"""
