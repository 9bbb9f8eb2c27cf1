"""Build of a release: packages for PyPI, mirror repositories, SBOM, checksums and notes. It uploads nothing."""
