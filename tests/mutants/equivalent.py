"""The mutants of the sample that no test can tell from the library, each with the reason in one line."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sustainable_mlops.base.errors import UserError
from tests.mutants.mutants import Mutant

FILE = Path(__file__).with_name("equivalent.yaml")


class Equivalent(BaseModel):
    """A mutant that behaves like the original, with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    function: str
    line: str
    operator: str
    occurrence: int = 0
    because: str = Field(min_length=1)

    def is_of(self, mutant: Mutant) -> bool:
        names = ("function", "line", "operator", "occurrence")
        return all(getattr(self, name) == getattr(mutant, name) for name in names)


def find_reasons(sample: Iterable[Mutant], complete: bool) -> dict[str, str]:
    """Return the reason of each equivalent mutant of the sample, by its location.

    Raises UserError if the file is invalid, or if an entry matches no mutant of a `complete` sample.
    """
    try:
        entries = TypeAdapter(list[Equivalent]).validate_python(yaml.safe_load(FILE.read_text(encoding="utf-8")) or [])
    except (yaml.YAMLError, ValidationError) as error:
        raise UserError(f"{FILE.name}: {error}") from None
    matches = {entry: [mutant for mutant in sample if entry.is_of(mutant)] for entry in entries}
    stray = [f"{entry.function}: {entry.line} [{entry.operator}]" for entry, of in matches.items() if len(of) != 1]
    if stray and complete:
        raise UserError(f"{FILE.name}: the sample has no mutant, or several, of: {'; '.join(stray)}")
    return {mutant.location: entry.because for entry, of in matches.items() for mutant in of}
