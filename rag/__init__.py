"""The archive and its answers: `from rag import Archive`."""
