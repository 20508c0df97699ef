"""The bridge: joins application sockets to the network, through one protocol core per connection.

A libzmq socket never touches the network itself. Its bind and connect go to unix sockets in a private directory (the
local hop, ZMTP NULL), and the bridge joins each local connection to one QZMQ connection (the remote hop). One thread
per Context owns every socket of it; all I/O, clocks, randomness and threads of the package are in here.
"""
