"""Training of a synthesiser."""
