"""The one way in: what a source says, or a person enters, becomes the rows of a signal, whatever the order."""
