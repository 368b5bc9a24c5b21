"""Relative scale: a small network that learns from recordings of anything how a sound changes when
it is played slower, or when more of it sounds at once.

What is where:

- `config`: the settings of `train-scale`.
- `recordings`: a folder of recordings, decoded into excerpts of one length.
- `pairs`: two moments of a recording, at two speeds and in two numbers of layers, and the loss.
- `command`: the training, and how well the network does on recordings that it never heard.

The network is a model folder like that of an extractor. Its two "controls" are logarithms: `scale`
grows by ln k in a sound that is played k times slower, `layers` by ln n where n moments of a
recording are added. What they are at zero means nothing: only differences do.

Labels are brought to the engine's laws by it (`labelling/by_the_laws.py`): a recording is played at
the speed at which the network hears the synthetic clips' scale, is labelled there, and the labels
are moved back by the laws; the same with layers. So labels of a slowed or layered recording move as
the laws say wherever the network can tell the speed or the number of layers at all, also on
recordings that nothing was trained on.
"""
