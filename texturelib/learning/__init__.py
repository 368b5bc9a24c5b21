"""Code that the trainings of every stage share; it needs the extra of a stage that trains (torch).

loop: the training loop. trainable: what it trains. checkpoint: saves and resumes a training.
training_log: the files that a training writes. schedule: learning rate schedules. compute: device
and precision. tensors: files that torch saved. weights: a network in one file that describes
itself.
"""
