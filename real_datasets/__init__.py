"""Stage 2: recordings cut to audible segments of one length.

choose, tags: which recordings are taken; plan: told to a person. build: make the dataset folder.
cut: one recording of it; decode, segments, silence: its steps. names, splits, attribution,
overview: what the set says of itself. survey: what a build would make. sources: where recordings
come from, a family of small classes. config: the settings.
"""
