"""The only wiring: each module takes a workspace and a recipe and runs one step with the layers below."""
