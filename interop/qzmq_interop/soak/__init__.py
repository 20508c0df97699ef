"""What a network that is cut every few seconds does to PUSH/PULL, under NULL and under QZMQ with its keys rotating."""
