"""Stage 4: make an instrument from labelled recordings.

labels: looked at, and balanced. data: clips with their controls, exported and imported.
synthesisers: a family, each in a package of its own; training: how they learn. instrument: a
trained synthesiser as something to play. evaluation: how well it follows its controls, and how near
its sounds are to the clips'. exporters: instruments for other programs. dsp: signal processing that
networks and measures share. cli, commands, config: the command line, what its commands are, and
what they are told.
"""
