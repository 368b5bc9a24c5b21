"""Play an instrument live: sound card, OSC, MIDI, and a view of it in the terminal."""
