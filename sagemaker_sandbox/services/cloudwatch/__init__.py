"""CloudWatch alarms and metrics. moto stores them; this package evaluates the alarms."""
