"""Stage 3: read continuous controls from real sounds.

data: the sets that trainings read. features, networks: families of small classes. models: networks
with what is known of them, and their folders. training: the extractor and the classifier.
adaptation: the methods, and whether one did good. labelling: labels of a set or of a folder.
evaluation: how good labels are. cli, commands, config: the command line, what its commands are, and
what they are told.
"""
