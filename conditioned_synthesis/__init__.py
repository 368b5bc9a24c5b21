"""Stage 4: from labelled recordings to an instrument.

analyse, balance, export, train, generate: the commands; import_mtcrnn, import_model: MTCRNN's data and networks. labels,
histogram, mtcrnn (its file format), sounds, instrument, lines: what they share. synthesisers: a family of small classes;
training: their loop. texture_statistics, cochlea: how alike textures sound, for losses and comparisons.
"""
