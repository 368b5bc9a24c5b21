"""Stage 3: continuous controls for real sounds.

extractor, classifier, adapt, label: the four commands. features, methods: families of small classes. networks, adversaries,
training: what learns, and the one loop it learns in. feature_store, splits, scores, model_folder, plots: around it.
"""
