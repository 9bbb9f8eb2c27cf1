"""Import of user scripts, which the image does itself. Scripts import the name only."""
