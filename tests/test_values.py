"""Records of a plan and of its results are named tuples or frozen data classes: data flows one way."""

import importlib
import pkgutil
from dataclasses import is_dataclass

import sustainable_mlops
from tests.cases import check_cases

#: Classes that collect values during a review.
GATHER = {"CommentBlock", "PolicyOwner", "_Context"}


@check_cases("package", ["plan", "footprint", "rules", "review", "advice", "catalogue"])
def test_records_are_frozen(package: str) -> None:
    folder = f"{sustainable_mlops.__name__}.{package}"
    modules = pkgutil.walk_packages(importlib.import_module(folder).__path__, f"{folder}.")
    classes = {
        value
        for module in modules
        if not module.name.endswith("__main__")
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, type) and value.__module__ == module.name and is_record(value)
    }
    assert classes
    changeable = {one.__name__ for one in classes if is_dataclass(one) and not vars(one)["__dataclass_params__"].frozen}
    assert changeable <= GATHER


def is_record(value: type) -> bool:
    return is_dataclass(value) or (issubclass(value, tuple) and hasattr(value, "_fields"))
