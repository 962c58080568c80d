{{/*
The rules of CONTRACT section 2 in CEL, shared by the guard, which says no, and by the policy, which then does nothing:
`refusal` is empty or "Reason: what is wrong and what to do". They say what the webhook says (operator/webhook); one
table of pods is run through all of them. Only what an API server 1.30 knows.
*/}}
{{- define "cvp.refusalVariables" -}}
{{- $port := "(102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])" }}
{{- $name := "[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?" }}
# Entries without the spaces round them.
- name: entries
  expression: >-
    object.metadata.annotations['cloudvalkey.dev/connections'].split(',')
    .map(e, e.find('[^ ](?s:.*[^ ])?'))
- name: badNames
  expression: variables.entries.map(e, e.split(':')[0]).filter(n, !n.matches('^{{ $name }}$'))
- name: badPorts
  expression: variables.entries.filter(e, !e.matches('^[^:]*(:{{ $port }}(/{{ $port }})?)?$'))
# From here on the entries are well-formed.
- name: names
  expression: variables.entries.map(e, e.split(':')[0])
- name: ports
  expression: >-
    [0, 1, 2, 3, 4, 5, 6, 7].filter(i, i < size(variables.entries))
    .map(i, variables.entries[i].contains(':') ? int(variables.entries[i].split(':')[1].split('/')[0]) : 6379 + 10 * i)
- name: readersPorts
  expression: variables.entries.filter(e, e.contains('/')).map(e, int(e.split('/')[1]))
- name: localPorts
  expression: variables.ports + variables.readersPorts + [9379]
- name: otherContainers
  expression: >-
    object.spec.containers + (has(object.spec.initContainers)
    ? object.spec.initContainers.filter(c, c.name != 'cloud-valkey-proxy') : [])
- name: clashes
  expression: >-
    variables.otherContainers.filter(c, has(c.ports) && c.ports.exists(p, int(p.containerPort) in variables.localPorts))
    .map(c, c.name)
- name: badSecrets
  expression: >-
    variables.names.filter(n, 'cloudvalkey.dev/secret.' + n in object.metadata.annotations
    && !object.metadata.annotations['cloudvalkey.dev/secret.' + n].matches('^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$'))
{{- if eq .Values.injection.mode "Policy" }}
# CEL cannot tell what such a path means, and none may lead to the proxy's own files.
- name: oddMounts
  expression: >-
    has(object.spec.initContainers) ? object.spec.initContainers
    .filter(c, c.name == 'cloud-valkey-proxy' && has(c.volumeMounts)
    && c.volumeMounts.exists(m, !m.mountPath.startsWith('/') || m.mountPath.matches('//|/[.][.]?(/|$)'))) : []
{{- end }}
- name: refusal
  expression: >-
    (has(object.spec.os) && object.spec.os.name == 'windows') || (has(object.spec.nodeSelector)
    && 'kubernetes.io/os' in object.spec.nodeSelector && object.spec.nodeSelector['kubernetes.io/os'] == 'windows')
    ? 'Windows: the proxy runs on Linux nodes only; remove the annotation cloudvalkey.dev/connections from this pod'
    : has(object.spec.hostNetwork) && object.spec.hostNetwork
    ? 'HostNetwork: with hostNetwork the ports of the proxy would be open to every process of the node; remove
    spec.hostNetwork or the annotation cloudvalkey.dev/connections'
    : object.spec.containers.exists(c, c.name == 'cloud-valkey-proxy')
    ? 'ContainerNameTaken: spec.containers has a container named cloud-valkey-proxy, which is the name of the sidecar;
    give it another name, or move it to spec.initContainers if it is meant to be the sidecar'
    : has(object.spec.initContainers)
    && object.spec.initContainers.filter(c, c.name == 'cloud-valkey-proxy').size() > 1
    ? 'ContainerNameTaken: spec.initContainers has more than one container named cloud-valkey-proxy, which is the name
    of the sidecar; keep one of them'
    : size(variables.entries) > 8
    ? 'TooMany: ' + string(size(variables.entries)) + ' connections are named; a pod may have at most 8'
    : variables.entries.exists(e, e == '')
    ? 'Empty: the annotation cloudvalkey.dev/connections names no connection, or has an empty entry; write a list such
    as sessions, or sessions, orders:6390/6391'
    : size(variables.badNames) > 0
    ? 'BadName: ' + (variables.badNames[0].matches('^[!-~]{1,63}$') ? '"' + variables.badNames[0] + '"' : 'an entry') +
    ' is not the name of a ValkeyConnection: lower-case letters, digits and inner -, at most 40 characters'
    : size(variables.badPorts) > 0
    ? 'BadPort: ' + (variables.badPorts[0].matches('^[!-~]{1,63}$') ? '"' + variables.badPorts[0] + '"' : 'an entry') +
    ' must have ports from 1024 to 65535 without leading zeros, as in sessions:6379 or sessions:6379/6380'
    : !variables.names.all(n, variables.names.exists_one(m, m == n))
    ? 'Duplicate: a connection stands twice; name each connection once'
    : !variables.localPorts.all(p, variables.localPorts.exists_one(q, q == p))
    ? 'PortClash: a port is wanted twice, or is 9379, the admin port of the proxy; give each connection ports of its
    own, as in ' + variables.names[0] + ':PORT'
    : size(variables.clashes) > 0
    ? 'PortClash: container "' + variables.clashes[0] + '" declares a containerPort that a connection or the admin port
    of the proxy (9379) has; change one of them (the port of a connection stands behind its name, as in '
    + variables.names[0] + ':PORT)'
    : size(variables.badSecrets) > 0
    ? 'BadName: the annotation cloudvalkey.dev/secret.' + variables.badSecrets[0] + ' does not hold the name of a Secret
    (lower-case letters, digits, - and .); correct or remove it'
    {{- if eq .Values.injection.mode "Policy" }}
    : size(variables.oddMounts) > 0
    ? 'BadMountPath: a mountPath of the container cloud-valkey-proxy is relative or has empty, . or .. parts; write it
    plainly, as in /data'
    {{- end }}
    : ''
{{- end }}
