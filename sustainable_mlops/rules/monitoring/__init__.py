"""Rules for monitoring: alarms, dashboards, logs, events and model monitors."""
