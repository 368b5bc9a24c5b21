"""Training a synthesiser."""
