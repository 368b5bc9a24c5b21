"""Networks with what is known of them, and their folders."""
