"""The runs that there were: read from their records, listed, compared, charted."""
