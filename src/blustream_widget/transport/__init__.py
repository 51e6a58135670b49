"""Ways of a picture and a message between the server and one viewer."""
