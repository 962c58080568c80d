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

{{/* Where nothing of ours looks at pods: the system's namespaces and our own; with watchNamespaces, all but those. */}}
{{- define "cvp.namespaceSelector" -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values:
      - kube-system
      - kube-node-lease
      - gke-gmp-system
      - gke-managed-cim
      - gmp-system
      - {{ .Release.Namespace }}
  {{- with .Values.watchNamespaces }}
  - key: kubernetes.io/metadata.name
    operator: In
    values:
      {{- toYaml . | nindent 6 }}
  {{- end }}
{{- end }}

{{/* Pods that ask, when they are created. Under Fail an error of an expression would refuse every pod, hence has(). */}}
{{- define "cvp.podRules" -}}
- apiGroups: [""]
  apiVersions: [v1]
  operations: [CREATE]
  resources: [pods]
  scope: Namespaced
{{- end }}

{{- define "cvp.asksForConnections" -}}
has(object.metadata.annotations) && 'cloudvalkey.dev/connections' in object.metadata.annotations
{{- end }}

{{- define "cvp.isNoMirrorPod" -}}
!(has(object.metadata.annotations) && 'kubernetes.io/config.mirror' in object.metadata.annotations)
{{- end }}

{{/* "true" where the API server injects by itself. A chart that cannot work is not rendered. */}}
{{- define "cvp.isPolicyMode" -}}
{{- if eq .Values.injection.mode "Policy" }}
{{- $isServed := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" }}
{{- if not (or $isServed (semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version)) }}
{{- fail (printf "injection.mode Policy needs Kubernetes 1.36 or later (MutatingAdmissionPolicy in admissionregistration.k8s.io/v1); this is %s: use injection.mode Webhook" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if not .Values.guard.enabled }}
{{- fail "injection.mode Policy needs guard.enabled: the guard refuses the pods that the policy cannot inject" }}
{{- end }}
{{- if .Values.webhook.url }}
{{- fail "injection.mode Policy has no webhook: leave webhook.url empty" }}
{{- end -}}
true
{{- end }}
{{- end }}

{{/* Names of pull Secrets for injected pods, comma-separated. */}}
{{- define "cvp.injectedPullSecrets" -}}
{{- $names := list }}
{{- range .Values.injection.imagePullSecrets }}
{{- $name := . }}
{{- if kindIs "map" . }}{{ $name = .name }}{{ end }}
{{- $names = append $names $name }}
{{- end }}
{{- join "," ($names | uniq) }}
{{- end }}

{{/* The Secret with the webhook's certificate that is mounted as files; empty where the operator keeps its own. */}}
{{- define "cvp.certificateSecret" -}}
{{- $certificate := .Values.webhook.certificate }}
{{- if include "cvp.isPolicyMode" . }}
{{- else if eq $certificate.mode "certManager" }}
{{- if not $certificate.issuerRef.name }}
{{- fail "webhook.certificate.mode certManager needs webhook.certificate.issuerRef.name: who signs" }}
{{- end }}
{{- if $certificate.caBundle }}
{{- fail "webhook.certificate.mode certManager has no webhook.certificate.caBundle: cert-manager writes it" }}
{{- end }}
{{- $certificate.secretName | default "cloud-valkey-operator-cert-manager" }}
{{- else if eq $certificate.mode "given" }}
{{- if not (and $certificate.secretName $certificate.caBundle) }}
{{- fail "webhook.certificate.mode given needs webhook.certificate.secretName (tls.crt, tls.key) and webhook.certificate.caBundle (the CA, PEM in base64)" }}
{{- end }}
{{- $certificate.secretName }}
{{- else if or $certificate.secretName $certificate.caBundle }}
{{- fail "webhook.certificate.secretName and caBundle are for the modes certManager and given: the operator's own Secret is cloud-valkey-operator-tls" }}
{{- end }}
{{- end }}
