"""Commands that need a clone of the repository, and their code. Not in the wheel."""
