"""HTTP: gateway, requests, responses, routes, the OpenAPI document."""
