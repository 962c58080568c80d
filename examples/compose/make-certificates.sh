#!/usr/bin/env bash
# Makes a CA, a certificate for the host name "valkey", and the connection.yaml that trusts it: ./secrets
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
umask 022
mkdir -p secrets
cd secrets
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=local CA" \
  -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=valkey -keyout server.key -out server.csr \
  2>/dev/null
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
  -extfile <(echo subjectAltName=DNS:valkey) -out server.crt 2>/dev/null
chmod 644 server.key # the server in the container is another user
chmod 600 ca.key
printf %s local-only >password
{
  cat <<YAML
apiVersion: cloudvalkey.dev/v1alpha1
kind: ResolvedConnection
name: local
topology: Standalone
endpoints: [{role: primary, host: valkey, port: 6379}]
tls:
  mode: Required
  verify: Full
  identities: ["dns:valkey"]
  ca: |
YAML
  sed 's/^/    /' ca.crt
  cat <<YAML
auth: {mode: Password, username: default, passwordFile: password}
YAML
} >connection.yaml
echo "secrets/connection.yaml trusts secrets/ca.crt; now: docker compose up --detach"
