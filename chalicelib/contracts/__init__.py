"""Pydantic models of requests, responses and queue messages, by subject: the public contract of the service.

Field meanings are in docs/api.md; the OpenAPI document is generated from these classes.
"""
