"""The check of `make lint` that no imports go in a circle."""

from itertools import pairwise

from grimp import ImportGraph

from .import_circles import circle_in


def graph_of(*imports: tuple[str, str]) -> ImportGraph:
    graph = ImportGraph()
    for module in {module for pair in imports for module in pair}:
        graph.add_module(module)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    return graph


def test_a_circle_of_imports_is_named_in_the_order_of_its_imports():
    circle = circle_in(graph_of(("a.x", "b.y"), ("b.y", "c.z"), ("c.z", "a.x"), ("a.x", "c.other")))
    assert circle[0] == circle[-1]
    assert set(pairwise(circle)) == {("a.x", "b.y"), ("b.y", "c.z"), ("c.z", "a.x")}


def test_rooms_that_use_each_other_are_no_circle():
    assert circle_in(graph_of(("a.x", "b.y"), ("b.z", "a.w"))) == []
