"""Listening tests: a static page on which people rate sounds, and what their answers say."""
