"""What people write: a model of each kind of file. Reading one calls nothing and imports no AWS library."""
