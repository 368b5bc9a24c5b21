"""Make an evenly spread, labelled set of clips from recordings, by the laws of the controls."""
