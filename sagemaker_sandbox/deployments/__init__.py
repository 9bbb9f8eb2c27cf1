"""How an endpoint comes to serve another configuration, and back where that goes wrong."""
