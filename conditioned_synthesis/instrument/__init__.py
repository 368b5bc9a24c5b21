"""A trained synthesiser as something to play: sliders, automation, sounds."""
