"""From gateway event to answer: access, throttling, parsing, status codes, headers, the API's own document."""
