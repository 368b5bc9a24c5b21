"""A trained synthesiser as an instrument: sliders, automation, sounds."""
