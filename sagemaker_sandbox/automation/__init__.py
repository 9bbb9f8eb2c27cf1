"""Systems Manager Automation, on top of moto's documents: they are checked, and their steps really run."""
