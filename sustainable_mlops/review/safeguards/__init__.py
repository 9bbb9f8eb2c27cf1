"""Resources that protect by their existence: detection, records, filters, rotation, budgets and alarms."""
