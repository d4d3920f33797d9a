"""Generated pages of docs/, and the clients' generated code."""
