"""`blustream hub-service`: JupyterHub's guests see a shared view, and nothing else of its owner.

The service speaks for nobody: it has no right at the Hub but to have people log in. Whoever shares
a view opens a connection *to* it (`core.hub_messages`), and ends it when nothing is shared.
"""
