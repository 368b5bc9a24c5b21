"""A user's own project: a folder of configs, made by `texture-pipeline new`, and what has become of
it, which `texture-pipeline status` says."""
