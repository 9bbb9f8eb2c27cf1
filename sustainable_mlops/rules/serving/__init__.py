"""Rules of serving: endpoints of each kind, what runs in them, and how a new model takes over."""
