#!/usr/bin/env python3
"""Listens as a service manager does and prints each message it is sent: manager.py ABSTRACT_NAME"""
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("\0" + sys.argv[1])
print("ready", flush=True)
while True:
    print(listener.recv(4096).decode(), flush=True)
