"""The mutants of the sample that no test can tell from the library, each with the reason in one line."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sustainable_mlops.errors import UserError
from tests.mutants.mutants import Mutant

FILE = Path(__file__).with_name("equivalent.yaml")


class Equivalent(BaseModel):
    """A mutant by what names it, and why it does what the original does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    function: str
    line: str
    operator: str
    occurrence: int = 0
    because: str = Field(min_length=1)

    def is_of(self, mutant: Mutant) -> bool:
        names = ("function", "line", "operator", "occurrence")
        return all(getattr(self, name) == getattr(mutant, name) for name in names)


def proofs(sample: Iterable[Mutant], complete: bool) -> dict[str, str]:
    """Why a mutant is equivalent, by its place.

    Raises `UserError` where the file is wrong, or where an entry is not one of a sample that is `complete`.
    """
    try:
        entries = TypeAdapter(list[Equivalent]).validate_python(yaml.safe_load(FILE.read_text(encoding="utf-8")) or [])
    except (yaml.YAMLError, ValidationError) as error:
        raise UserError(f"{FILE.name}: {error}") from None
    found = {entry: [mutant for mutant in sample if entry.is_of(mutant)] for entry in entries}
    stray = [f"{entry.function}: {entry.line} [{entry.operator}]" for entry, of in found.items() if len(of) != 1]
    if stray and complete:
        raise UserError(f"{FILE.name}: of these the sample has none, or several: {'; '.join(stray)}")
    return {mutant.place: entry.because for entry, of in found.items() for mutant in of}
