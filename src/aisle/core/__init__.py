"""What every layer may use: errors, ids, text normalisation, config, seeds, progress and the retrieval protocol."""
