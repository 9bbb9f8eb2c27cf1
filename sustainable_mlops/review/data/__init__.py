"""Data at risk: resources that hold data, their protections, and changes that delete data or weaken a protection."""
