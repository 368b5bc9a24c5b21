"""Measures of sounds that follow from the laws of controls, without a network: how far a sound is
slowed down, how many layers it has, how loud it is."""
