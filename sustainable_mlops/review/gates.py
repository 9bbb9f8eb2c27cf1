"""Names of the gates of a review. The command reads them before it imports the review itself."""

#: Gates that stop a plan unless --fail-on names others.
DEFAULT_GATES = ("data", "privileges", "safeguards", "rules", "budgets", "checkov")
GATES = (*DEFAULT_GATES, "limit", "unknown")
