"""Rules of sustainable machine learning on SageMaker, for any Terraform plan.

    from sustainable_mlops import plan, rules
    for finding in rules.evaluate(plan.load("plan.json")):
        print(finding.outcome, rules.BY_ID[finding.rule].fix)

Each file covers one concern. The folders follow the parts of the guidance; shared helpers are beside them. The rules
use the standard library only.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from importlib import import_module
from os import walk
from os.path import isdir, relpath, sep

from sustainable_mlops.plan import Plan
from sustainable_mlops.rules import evaluation
from sustainable_mlops.rules.rule import Finding, Outcome, Rule, Severity


def _load_all() -> Iterator[Rule]:
    for name in sorted(_list_modules(), key=lambda name: name.rpartition(".")[2]):
        module = import_module(name)
        yield from (value for value in vars(module).values() if isinstance(value, Rule))


def _list_modules() -> Iterator[str]:
    """Yield the names of the modules below this package. `pkgutil` imports `inspect`, which is slow."""
    root = __path__[0]
    if not isdir(root):  # the published checks are in a zip file
        from pkgutil import walk_packages

        yield from (module.name for module in walk_packages(__path__, f"{__name__}.") if not module.ispkg)
    for folder, _, files in walk(root):
        package = ".".join((__name__, *(part for part in relpath(folder, root).split(sep) if part != ".")))
        yield from (
            f"{package}.{file.removesuffix('.py')}" for file in files if file.endswith(".py") and file != "__init__.py"
        )


#: Every rule, sorted by file name. The folder does not matter, so a move of a file changes no report.
ALL = tuple(_load_all())
BY_ID = {rule.id: rule for rule in ALL}


def evaluate(plan: Plan, rules: Iterable[Rule] = ALL, today: date | None = None) -> list[Finding]:
    """Return the findings of the rules; see `evaluation.evaluate`."""
    return evaluation.evaluate(plan, rules, today)


__all__ = ["ALL", "BY_ID", "Finding", "Outcome", "Rule", "Severity", "evaluate"]
