"""QZMQ/1, post-quantum security for ZeroMQ: the readable reference."""
