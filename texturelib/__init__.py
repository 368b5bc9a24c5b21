"""What all stages need.

config: JSON configs. outputs: the folder a command writes. dataset: what passes between stages.
    jobs: many files, resumed.
audio, files: sound and other files, whole or not at all. registry: families of small classes.
    controls: sliders with units.
learning: what trainings share.
command_line, progress, errors, nearest, pictures, pages: manners.
"""
