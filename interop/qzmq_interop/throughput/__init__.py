"""What QZMQ costs beside NULL and CURVE: the same program under each mechanism, in one run."""
