"""Random augmentation of batches."""
