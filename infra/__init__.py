"""Everything that packages, deploys and runs the stack, locally and on AWS."""
