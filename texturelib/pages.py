"""Static pages from templates: one file, no network, no scripts."""

from pathlib import Path
from typing import Any

from texturelib.controls import three_figures
from texturelib.files import write_text


def write_page(path: Path, package: str, template: str, **content: Any) -> None:
    """Write a page from a template. template: a file in the folder `templates` of that package.
    Errors: jinja2's, when the template needs something that `content` lacks."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": "{:.1%}".format, "figure": three_figures}
    html = environment.get_template(template).render(content)
    # In names that are not UTF-8, what cannot be shown becomes a question mark.
    write_text(path, html.encode("utf-8", "replace").decode("utf-8"))
