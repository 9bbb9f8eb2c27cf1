"""Systems Manager Automation. moto keeps the documents; this package checks them and runs their steps."""
