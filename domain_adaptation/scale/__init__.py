"""Relative scale: a small network that learns from recordings of anything how a sound changes when
it is played slower.

What is where:

- `config`: the settings of `train-scale`.
- `recordings`: a folder of recordings, decoded into excerpts of one length.
- `pairs`: two moments of a recording at two speeds, and the loss.
- `outputs`: what the network says.
- `command`, `held_out`: the training, and how well the network does on recordings that it never
  heard.

The network is a model folder like that of an extractor. Its one "control" is a logarithm: it grows
by ln k in a sound that is played k times slower. What it is at zero means nothing: only differences
do.

Labels are brought to the engine's laws by it (`labelling/by_the_laws.py`): a recording is played at
the speed at which the network hears the synthetic clips' scale, is labelled there, and the labels
are moved back by the laws. The same with layers, for which no network is needed
(`labelling/density.py`). So labels of a slowed or layered recording move as the laws say wherever
the speed or the number of layers can be told at all, also on recordings that nothing was trained
on.
"""
