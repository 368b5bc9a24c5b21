"""What trainings of every stage need; it takes the extra of a stage that trains (torch).

loop: the training loop. trainable: what it trains. checkpoint: a training that goes on where it was
stopped. training_log: the files that it writes as it goes. schedule: how the learning rate runs.
compute: where and how exactly to compute. tensors: files that torch saved. weights: a network in
one file that says what it is.
"""
