"""Rules of monitoring: alarms, dashboards, logs, events, and what watches the models."""
