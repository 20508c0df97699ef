"""The handshake: messages, key schedule and the interpreter of table `handshake` (spec/handshake.md)."""
