"""Labels of clips, from a model folder."""
