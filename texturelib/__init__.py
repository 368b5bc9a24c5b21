"""Code that all stages share.

config: JSON configs. outputs: the folder a command writes. dataset: the folders that pass between
stages. jobs: many items of work, resumable.
audio, files: sound and other files, written whole or not at all. registry: families of small
classes. controls: sliders with units.
learning: what all trainings share.
command_line, progress, errors, nearest, pictures, pages: how commands talk to people.
"""
