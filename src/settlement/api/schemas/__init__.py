"""The JSON of the API, with examples: the OpenAPI document is a product."""
