"""EventBridge and its Scheduler. moto keeps rules and schedules; this package calls their targets."""
