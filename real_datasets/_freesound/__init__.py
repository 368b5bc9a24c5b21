"""How the source `freesound` talks to Freesound's API (v2, https://freesound.org/docs/api/).

keys: which key goes with a request, and to whom. retries: when to wait, when to try again, when to
stop. api: the requests. download: one file, whole. search: the found sounds, page by page on disk.
"""
