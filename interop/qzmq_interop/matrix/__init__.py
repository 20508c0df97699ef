"""`qzmq interop`: every implementation with every other one, over real sockets, with a relay that looks on."""
