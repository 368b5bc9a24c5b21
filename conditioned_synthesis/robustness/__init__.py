"""How much noise each representation of sounds can bear."""
