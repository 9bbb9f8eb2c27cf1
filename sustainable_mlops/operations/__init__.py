"""What commands do that no other part is for: the demo, teardown, evolving feature groups, the list of practices."""
