"""Restore of feature groups from their offline stores."""
