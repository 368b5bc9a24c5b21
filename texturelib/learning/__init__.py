"""What trainings of every stage need; it takes the extra of a stage that trains (torch).

compute: where and how exactly to compute. checkpoint: a training that goes on where it was stopped. journal: what it leaves
behind. schedule: how the learning rate runs. tensors: files that torch saved. weights: a network in one file that says what it
is.
"""
