"""A static page with the results of all stages: pictures, tables, players. It needs no network and
no server."""

from texture_pipeline.page.make import make_page

__all__ = ["make_page"]
