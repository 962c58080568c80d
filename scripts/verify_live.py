#!/usr/bin/env python3
"""Asks a live Memorystore for Valkey what we know from documents only: make verify-live INSTANCE=projects/P/locations/L/instances/I

Run it where the instance can be reached, with an identity that may read it and connect to it. Nothing is changed and no
key is written. Each line is a question, what the documents say, and the answer; a question without an answer makes it
exit 1. The lines are what we should like to hear of: they decide how long a login may live, whose identity is refused,
how a server is verified.

  --hours H     watch two idle connections for so long: when does the server end them, and does a new AUTH put it off?
                (0: not asked; 13 settles the 12 hours)
  --quota       send 70 calls in a minute: which of them count? Everybody in the project feels it.
  --json        the answers as JSON

GCE_METADATA_HOST and CVP_GOOGLE_API_BASE lead elsewhere: to the emulator, which must answer every question.
Standard library alone: it runs on any VM that has Python 3.9.
"""
import argparse
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

API = os.environ.get("CVP_GOOGLE_API_BASE", "https://memorystore.googleapis.com")
METADATA = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")


def metadata(path):
    request = urllib.request.Request(f"http://{METADATA}/computeMetadata/v1/{path}", headers={"Metadata-Flavor": "Google"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


class Cloud:
    def __init__(self):
        token = json.loads(metadata("instance/service-accounts/default/token"))
        self.token, self.lifetime = token["access_token"], token["expires_in"]

    def get(self, path):
        """(status, body as an object or text)"""
        request = urllib.request.Request(f"{API}/v1/{path}", headers={"Authorization": f"Bearer {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, body = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read().decode()
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body


class Valkey:
    """A connection that speaks RESP2 in lines: enough for replies of one line or one string."""

    def __init__(self, host, port, ca, before=None):
        """`before`: a connection whose TLS session is to be resumed."""
        self.context = before.context if before else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.load_verify_locations(cadata=ca)
        raw = socket.create_connection((host, port), timeout=10)
        self.stream = self.context.wrap_socket(raw, session=before.stream.session if before else None)
        self.file = self.stream.makefile("rb")

    def ask(self, *words):
        out = b"*%d\r\n" % len(words)
        for word in words:
            data = word.encode()
            out += b"$%d\r\n%s\r\n" % (len(data), data)
        self.stream.sendall(out)
        line = self.file.readline().decode(errors="replace").rstrip("\r\n")
        if line.startswith("$") and line != "$-1":
            return self.file.read(int(line[1:]) + 2)[:-2].decode(errors="replace")
        if line.startswith("*") and line != "*-1":
            return [self._item() for _ in range(int(line[1:]))]
        return line if line else "the connection ended"

    def _item(self):
        line = self.file.readline().decode(errors="replace").rstrip("\r\n")
        if line.startswith("$") and line != "$-1":
            return self.file.read(int(line[1:]) + 2)[:-2].decode(errors="replace")
        if line.startswith("*") and line != "*-1":
            return [self._item() for _ in range(int(line[1:]))]
        return line


def names_of(der):
    with tempfile.NamedTemporaryFile(suffix=".der") as file:
        file.write(der)
        file.flush()
        text = subprocess.run(["openssl", "x509", "-inform", "DER", "-in", file.name, "-noout", "-subject", "-ext", "subjectAltName"],
                              capture_output=True, text=True, check=False).stdout
    return " ".join(text.split()) or None


def certificates_in(body):
    found = []
    for chain in (body.get("managedServerCa") or body.get("managed_server_ca") or {}).get("caCerts", []):
        found += chain.get("certificates", [])
    return found


def message_of(body):
    return body.get("error", {}).get("message", str(body))[:160] if isinstance(body, dict) else str(body)[:160]


def endpoints_of(instance):
    """(connection type, address, port or None) of every PSC connection."""
    for endpoint in instance.get("endpoints", []):
        for connection in endpoint.get("connections", []):
            for kind in ("pscAutoConnection", "pscConnection"):
                if kind in connection:
                    psc = connection[kind]
                    yield psc.get("connectionType", "?"), psc.get("ipAddress"), psc.get("port")


def watch(connect, login, hours):
    """When two idle connections end: one that is left alone, one that logs in again all the time."""
    limit, began = hours * 3600, time.monotonic()
    left = {"left alone": connect(), "logged in again": connect()}
    ended = {}
    while left and time.monotonic() - began < limit:
        for name, valkey in list(left.items()):
            try:
                answer = valkey.ask(*login) if name == "logged in again" else valkey.ask("PING")
            except (OSError, ValueError):
                answer = "the connection ended"
            if answer == "the connection ended" or answer.startswith("-"):
                ended[name] = f"{name}: {answer} after {time.monotonic() - began:.0f} s"
                del left[name]
        time.sleep(min(60, max(0.2, limit / 100)))
    for name in left:
        ended[name] = f"{name}: still there after {limit:.0f} s"
    return "; ".join(ended[name] for name in sorted(ended))


def ask_quota(cloud, name):
    answers = {}
    for what, path in (("instances.get", name), ("certificateAuthority", name + "/certificateAuthority")):
        refused = next((i for i in range(1, 71) if cloud.get(path)[0] == 429), None)
        answers[what] = f"call {refused} of 70" if refused else "none of 70"
    return "; ".join(f"{what}: refused was {text}" for what, text in answers.items())


def interrogate(options):
    """Yields (id, question, what the documents say, answer or None)."""
    name = options.instance
    cloud = Cloud()
    email = metadata("instance/service-accounts/default/email")
    kind = "a workload pool" if email.endswith(".svc.id.goog") else "a service account"
    yield "identity", "whose token is it?", "a Google service account", f"{email}, {kind}"
    yield "token-lifetime", "how long does a fresh token live?", "an hour at most", f"{cloud.lifetime} s"

    status, instance = cloud.get(name)
    if status != 200:
        sys.exit(f"verify-live: GET {name}: HTTP {status}: {message_of(instance)}")
    for key, documented in (("state", "ACTIVE"), ("mode", "CLUSTER_DISABLED or STANDALONE"), ("authorizationMode", "IAM_AUTH"),
                            ("transitEncryptionMode", "SERVER_AUTHENTICATION"), ("serverCaMode", "one of three, or absent")):
        yield key, f"{key} of the instance", documented, str(instance.get(key, "absent"))
    endpoints = list(endpoints_of(instance))
    yield "port", "has the data endpoint a port?", "the sample shows it, the API's definition does not", \
        ", ".join(f"{kind} {address}: {port if port else 'no port'}" for kind, address, port in endpoints) or None

    status, missing = cloud.get(name.rsplit("/", 1)[0] + "/no-such-instance")
    yield "not-found", "an instance that is not there", "HTTP 404", f"HTTP {status}: {message_of(missing)}"
    status, foreign = cloud.get("projects/google.com:nobody/locations/us-central1/instances/x")
    yield "forbidden", "an instance of somebody else's", "HTTP 403", f"HTTP {status}: {message_of(foreign)}"
    status, authority = cloud.get(name + "/certificateAuthority")
    certificates = certificates_in(authority) if status == 200 else []
    yield "ca", "the CA of the instance", "PEM certificates of all its CAs", \
        f"HTTP {status}: {len(certificates)} certificates" if certificates else f"HTTP {status}: {message_of(authority)}"
    if not certificates:
        return

    ca = "\n".join(certificates)
    data = [e for e in endpoints if "DISCOVERY" in e[0] or "PRIMARY" in e[0]] or endpoints
    host, port = data[0][1], data[0][2] or 6379
    valkey = Valkey(host, port, ca)
    yield "chain", "does the server's certificate fit that CA?", "yes", f"yes, {valkey.stream.version()}"
    names = names_of(valkey.stream.getpeercert(binary_form=True))
    has_address = names is not None and str(ipaddress.ip_address(host)) in names
    yield "names", "which names has the certificate?", "not documented; the address is expected", \
        f"{names}: the address is {'' if has_address else 'NOT '}among them" if names else None
    yield "no-login", "a command before the login", "-NOAUTH", valkey.ask("PING")
    yield "wrong-login", "a wrong token", "-WRONGPASS", valkey.ask("AUTH", "default", "not-a-token")
    yield "login", "AUTH default TOKEN", "+OK", valkey.ask("AUTH", "default", cloud.token)
    yield "login-one-word", "AUTH TOKEN", "+OK", Valkey(host, port, ca).ask("AUTH", cloud.token)
    yield "login-email", "AUTH EMAIL TOKEN", "not documented", Valkey(host, port, ca).ask("AUTH", email, cloud.token)
    yield "login-again", "AUTH on a connection that is logged in", "+OK", valkey.ask("AUTH", "default", cloud.token)
    refused = Valkey(host, port, ca)
    refused.ask("AUTH", "default", cloud.token)
    refused.ask("AUTH", "default", "not-a-token")
    yield "refused-again", "a refused AUTH leaves the old login in force?", "not documented", f"PING: {refused.ask('PING')}"
    yield "resumption", "does it resume TLS sessions?", "not documented", \
        "yes" if Valkey(host, port, ca, before=valkey).stream.session_reused else "no"
    yield "server", "the server's version", "8.0 and later", next(
        (line for line in valkey.ask("INFO", "server").splitlines() if "_version:" in line and "gcc" not in line), None)
    blocked = {words: str(valkey.ask(*words.split()))[:60] for words in
               ("CONFIG GET maxmemory", "ACL WHOAMI", "CLIENT NO-EVICT on", "MODULE LIST", "SLOWLOG LEN", "ROLE")}
    yield "commands", "commands of an administrator", "some are blocked", "; ".join(f"{k}: {v}" for k, v in blocked.items())

    readers = [e for e in endpoints if e[0] and "READER" in e[0]]
    if readers:
        try:
            socket.create_connection((readers[0][1], readers[0][2] or 6379), timeout=5).close()
            reader = "it accepts"
        except OSError as error:
            reader = f"{error}"
        yield "reader", f"the reader endpoint of {instance.get('replicaCount', 0)} replicas", "not documented without any", reader
    else:
        yield "reader", "the reader endpoint", "one where there are replicas", "there is none"

    def connect():
        fresh = Valkey(host, port, ca)
        fresh.ask("AUTH", "default", cloud.token)
        return fresh

    if options.hours:
        yield "age", "when does the server end a connection?", "12 hours after its login", \
            watch(connect, ("AUTH", "default", cloud.token), options.hours)
    else:
        yield "age", "when does the server end a connection?", "12 hours after its login", "not asked: --hours 13"
    yield "quota", "which calls does the quota count?", "60 a minute and project", \
        ask_quota(cloud, name) if options.quota else "not asked: --quota"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instance", help="projects/P/locations/L/instances/I")
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--quota", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    answers = []
    for key, question, documented, answer in interrogate(options):
        answers.append({"id": key, "question": question, "documented": documented, "answer": answer})
        if not options.json:
            print(f"{'?' if answer is None else '·'} {key}: {question}\n    documents: {documented}\n    answer:    {answer or 'NONE'}", flush=True)
    if options.json:
        print(json.dumps(answers, indent=2))
    unanswered = [entry["id"] for entry in answers if not entry["answer"]]
    if unanswered:
        sys.exit("verify-live: no answer to " + ", ".join(unanswered))


if __name__ == "__main__":
    main()
