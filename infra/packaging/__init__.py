"""From source and locked wheels to archives and layers that Lambda takes."""
