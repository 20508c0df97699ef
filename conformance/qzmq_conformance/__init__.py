"""The QZMQ/1 conformance suite: bare TCP peer and libzmq peer against an implementation."""
