"""Generated part of a module's README: the tables of inputs and outputs."""

import re
from typing import Any

from sustainable_mlops.authoring.inputs import render_table
from sustainable_mlops.authoring.module import Module


def update_tables(module: Module[Any], readme: str) -> str:
    """Replace the tables between `<!-- inputs -->` and `<!-- /inputs -->`, and the same for outputs.

    Raises ValueError if the marks are missing.
    """
    rows = ["| name | description |", "|---|---|"]
    rows += [f"| {name} | {output.description} |" for name, output in sorted(module.outputs.items())]
    for mark, text in (("inputs", render_table(module.input_model)), ("outputs", "\n".join(rows) + "\n")):
        pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
        if not re.search(pattern, readme, re.S):
            raise ValueError(
                f"{module.name}/README.md has no <!-- {mark} --> … <!-- /{mark} --> for the table; add both marks"
            )
        readme = re.sub(pattern, lambda match, text=text: match[1] + text + match[2], readme, flags=re.S)  # type: ignore[misc]
    return readme
