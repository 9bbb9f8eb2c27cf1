"""What endpoints have in common, whatever they run on; each kind is a module of its own beside this."""
