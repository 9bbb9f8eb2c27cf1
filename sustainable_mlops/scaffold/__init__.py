"""Something new in this repository, whole: an environment, a module, a workload. Each passes the tests as it is."""
