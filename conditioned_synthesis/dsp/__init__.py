"""Signal processing that networks and measures share."""
