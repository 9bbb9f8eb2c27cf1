"""CloudWatch alarms that look at the metrics: moto keeps both, and this evaluates them."""
