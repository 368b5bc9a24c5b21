"""A WGAN-GP as small as one may be, which the training loop trains."""
