"""Length of a month in all figures: a twelfth of 8,760 hours, as in AWS's price calculator."""

HOURS_PER_MONTH = 730.0
DAYS_PER_MONTH = HOURS_PER_MONTH / 24
