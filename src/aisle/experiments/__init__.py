"""Experiments: what an ingredient earns, and what an A/B test of two retrieval set-ups would say."""
