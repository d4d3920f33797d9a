"""The parts of the CloudFormation template that are made from code, and what a stack says of itself."""
