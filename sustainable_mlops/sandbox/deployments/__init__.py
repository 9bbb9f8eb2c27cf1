"""How an endpoint goes over to another configuration, and back."""
