"""The server: its process, the application that dispatches each request, and the storage of the state."""
