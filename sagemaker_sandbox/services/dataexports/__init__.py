"""Billing and Cost Management Data Exports: definitions of exports, their tables, and their delivery to S3."""
