"""A notify socket: prints every datagram that arrives as one line of JSON, until it is ended."""
import json
import os
import socket
import sys

path = sys.argv[1]
if os.path.exists(path):
    os.unlink(path)
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(path)
print("listening", flush=True)
while True:
    # Descriptors that come along, as those of a barrier, are closed with the message: that is the answer.
    data, descriptors, _, _ = socket.recv_fds(server, 65536, 4)
    for descriptor in descriptors:
        os.close(descriptor)
    print(json.dumps(data.decode().split("\n")), flush=True)
