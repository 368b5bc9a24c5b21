"""A contract for import-linter: no module imports itself by way of others, not even for type
checkers alone.

Its own `acyclic_siblings` looks at packages: two rooms that use each other break it, though none of
their modules is in a circle.
"""

from graphlib import CycleError, TopologicalSorter

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.application import contract_utils


class NoCircles(Contract):
    """ignore_imports: of circles that are still there, the imports to be removed."""

    type_name = "no_circles"
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        removed = contract_utils.remove_ignored_imports_and_report(
            graph, self.ignore_imports, unmatched_alerting=contract_utils.AlertLevel.ERROR
        )
        circle = circle_in(graph)
        return ContractCheck(
            kept=not circle,
            metadata={"circle": circle},
            ignored_import_count=removed.ignored_import_count,
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        output.print_error("A circle: " + " imports ".join(check.metadata["circle"]))


def circle_in(graph: ImportGraph) -> list[str]:
    """Return modules of which each imports the next, the last one the first again; none: there is
    no circle."""
    sorter = TopologicalSorter(
        {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        return error.args[1][::-1]  # there, each is imported by the next
    return []
