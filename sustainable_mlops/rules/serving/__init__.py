"""Rules for serving: endpoints, their scaling, hardware and updates, and model cards."""
