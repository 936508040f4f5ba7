"""The letters of a dossier: one function each, named after what happened; the action saves what it returns."""
