"""The sidecar behind `qzmq bridge`: gives an unmodified ZeroMQ program QZMQ on its outside, as stunnel gives TLS.

The program speaks ZMTP NULL with the sidecar, over ipc or loopback, and with nobody else; what of it crosses the
network is QZMQ. Nothing in here needs libzmq: octets go from one hop to the other as the program's library made them.
"""
