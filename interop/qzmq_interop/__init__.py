"""Interoperability and throughput runs of QZMQ/1."""
