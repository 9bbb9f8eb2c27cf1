"""Layers of the folders of a package: a folder imports only folders of lower layers."""

from graphlib import TopologicalSorter

import grimp


def list_layers(package: str) -> list[list[str]]:
    """Return the names of the folders of `package`, the lowest layer first. Loose files are left out.

    Raises graphlib.CycleError if folders import each other.
    """
    graph = grimp.build_graph(package, cache_dir=None)
    folders = sorted(child for child in graph.find_children(package) if graph.find_children(child))
    imports = {
        importer: {
            imported
            for imported in folders
            if imported != importer
            and graph.direct_import_exists(importer=importer, imported=imported, as_packages=True)
        }
        for importer in folders
    }
    layers: dict[str, int] = {}
    for folder in TopologicalSorter(imports).static_order():
        layers[folder] = 1 + max((layers[imported] for imported in imports[folder]), default=-1)
    names: list[list[str]] = [[] for _ in range(1 + max(layers.values()))]
    for folder in folders:
        names[layers[folder]].append(folder.rpartition(".")[2])
    return names
