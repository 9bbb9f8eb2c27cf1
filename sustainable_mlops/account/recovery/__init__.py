"""Recovery of an environment after an interrupted apply."""
