"""How near the sounds of an engine come to recordings, before anything is trained.

- `statistics`: what is compared of a clip, and the distances.
- `command`: recordings against synthetic sets; tables, a picture and a page with players.
"""
