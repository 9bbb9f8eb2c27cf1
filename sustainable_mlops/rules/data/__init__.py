"""Rules of data: where it is, how it is prepared, how long it is kept, and in which class."""
