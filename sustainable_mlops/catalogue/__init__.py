"""Facts about AWS for estimates and rules: CSV files and their readers.

The entry points are `instances.find`, `regions.find` and `prices.find`. `LICENSES.md` and `sources.csv` have the
license and the source of each file. The readers are lazy and use only the standard library, because reviews start
often.
"""
