"""EventBridge and its Scheduler, on top of what moto keeps of them: events and times reach their targets."""
