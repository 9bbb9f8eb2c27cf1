"""What each type of step does: begin, look how it stands, stop."""
