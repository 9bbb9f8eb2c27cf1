"""Components of an environment, one file for each concern."""
