"""Facts about AWS that estimates and rules need, as CSV files beside their readers.

Start with `instances.find`, `regions.find` and `prices.find`. Each file's licence and source are in `LICENSES.md` and
`sources.csv`. Reading is lazy and by the standard library alone, as a review of a plan starts often.
"""
