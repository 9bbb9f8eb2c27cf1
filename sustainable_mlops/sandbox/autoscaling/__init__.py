"""Application Auto Scaling that scales: moto keeps targets, policies and actions, and this acts on them."""
