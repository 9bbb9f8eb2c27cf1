"""Models of the files that people write, one per kind of file. Loading a file needs neither AWS nor its library."""
