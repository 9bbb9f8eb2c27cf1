"""What serves an endpoint: instances of each variant, the traffic between them, and what is kept and told of it."""
