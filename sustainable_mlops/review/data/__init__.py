"""Data at risk: what holds it, what protects it, and what a plan deletes, replaces or protects less."""
