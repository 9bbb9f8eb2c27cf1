"""Rules for shared resources of an account: Region, tags, budgets, roles, images, Studio, ended services."""
