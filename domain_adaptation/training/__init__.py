"""Training the extractor and the classifier."""
