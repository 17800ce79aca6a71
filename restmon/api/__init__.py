"""What api_server.py is made of: guard, parameters, uploads, answers, the OpenAPI document."""
