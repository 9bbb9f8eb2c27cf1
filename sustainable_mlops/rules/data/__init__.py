"""Rules for data: location, preparation, retention and storage class."""
