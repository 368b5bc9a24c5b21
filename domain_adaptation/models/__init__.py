"""Networks with their descriptions, and the model folders that hold them."""
