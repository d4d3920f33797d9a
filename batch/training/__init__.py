"""What training needs beside features: fitting, the registry, plots, model files."""
