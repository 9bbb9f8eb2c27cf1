"""The concerns of an environment, one file each."""
