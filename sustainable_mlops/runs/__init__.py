"""Earlier runs, from their records: lists, comparisons and charts."""
