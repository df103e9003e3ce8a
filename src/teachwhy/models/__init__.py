"""How a model is reached: names to weights or endpoints, the embedded model, the local engine, scripted models."""
