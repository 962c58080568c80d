#!/usr/bin/env python3
"""Answers every question of DNS for one name with 127.0.0.1, and NXDOMAIN for all others: names.py NAME ADDRESS

Prints a line for each name it was asked, so that a test sees that somebody asked."""
import socket
import struct
import sys

name, address = sys.argv[1].rstrip(".").lower(), sys.argv[2]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
print("ready", flush=True)
while True:
    query, peer = server.recvfrom(4096)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind = struct.unpack_from("!H", query, at + 1)[0]
    asked = ".".join(labels).lower()
    known, is_a = asked == name, kind == 1
    head = query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, 1 if known and is_a else 0, 0, 0)
    answer = b"\xc0\x0c" + struct.pack("!HHIH4s", 1, 1, 5, 4, socket.inet_aton("127.0.0.1")) if known and is_a else b""
    print(asked, flush=True)
    server.sendto(head + query[12 : at + 5] + answer, peer)
