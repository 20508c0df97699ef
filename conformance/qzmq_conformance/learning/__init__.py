"""The state machine of an implementation: specified by the table `handshake`, learned from the wire, and compared."""
