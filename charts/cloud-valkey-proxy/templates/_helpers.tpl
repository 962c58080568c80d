{{/* The one name of all objects: there is one operator per cluster. */}}
{{- define "cvp.name" -}}cloud-valkey-operator{{- end }}

{{/* Labels that never change: a Deployment's selector is immutable. */}}
{{- define "cvp.selector" -}}
app.kubernetes.io/name: {{ include "cvp.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "cvp.labels" -}}
{{ include "cvp.selector" . }}
app.kubernetes.io/part-of: cloud-valkey-proxy
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* A reference from {image, registry, tag}: the digest wins, then the tag. */}}
{{- define "cvp.image" -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .tag }}{{ end }}
{{- end }}

{{- define "cvp.operatorImage" -}}
{{- include "cvp.image" (dict "image" .Values.image "registry" .Values.image.registry "tag" .Chart.AppVersion) }}
{{- end }}

{{- define "cvp.proxyImage" -}}
{{- $registry := .Values.proxy.image.registry | default .Values.image.registry }}
{{- include "cvp.image" (dict "image" .Values.proxy.image "registry" $registry "tag" .Chart.AppVersion) }}
{{- end }}

{{/* What the operator may do with the objects of the namespaces that it works in. */}}
{{- define "cvp.workRules" -}}
- apiGroups: [cloudvalkey.dev]
  resources: [valkeyconnections]
  verbs: [get, list, watch]
- apiGroups: [cloudvalkey.dev]
  resources: [valkeyconnections/status]
  verbs: [patch]
# Lists and watches carry the managed-by label, but a role cannot say so: the operator could read any ConfigMap.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch]
# To count injected pods, by label.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
