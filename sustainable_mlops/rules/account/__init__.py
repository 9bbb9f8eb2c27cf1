"""Rules of what all of an account share: Region, tags, budgets, roles, images, Studio, dead services."""
