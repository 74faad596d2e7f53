{{- define "socialops.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Begins every object's name. With room for the longest ending, a CronJob's name has 52 characters at most. */}}
{{- define "socialops.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "socialops.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "socialops.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Cluster-scoped objects of two releases must not meet. */}}
{{- define "socialops.clusterName" -}}
{{- printf "%s-%s" (include "socialops.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "socialops.chartLabels" -}}
app.kubernetes.io/name: {{ include "socialops.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* socialops.labels COMPONENT ROOT */}}
{{- define "socialops.labels" -}}
{{ include "socialops.chartLabels" (index . 1) }}
app.kubernetes.io/component: {{ index . 0 }}
{{- end -}}

{{/* socialops.selectorLabels COMPONENT ROOT: never to change, as selectors can't. */}}
{{- define "socialops.selectorLabels" -}}
app.kubernetes.io/name: {{ include "socialops.name" (index . 1) }}
app.kubernetes.io/instance: {{ (index . 1).Release.Name }}
app.kubernetes.io/component: {{ index . 0 }}
{{- end -}}

{{/* socialops.imageOf IMAGE DEFAULT-TAG */}}
{{- define "socialops.imageOf" -}}
{{- with index . 0 -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default (index $ 1) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "socialops.image" -}}
{{- include "socialops.imageOf" (list .Values.image .Chart.AppVersion) -}}
{{- end -}}

{{/* The namespaces to watch as a JSON list; empty: all of them. */}}
{{- define "socialops.namespaces" -}}
{{- if .Values.clusterWide -}}
[]
{{- else -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | uniq | sortAlpha | toJson -}}
{{- end -}}
{{- end -}}

{{/*
socialops.memoryTarget RESOURCES: nine tenths of the memory limit, as GOMEMLIMIT takes it, so that the collector
works harder before the kernel kills. Nothing without a limit, or for one in a notation that it doesn't know.
*/}}
{{- define "socialops.memoryTarget" -}}
{{- $limit := dig "limits" "memory" "" (. | default dict) | toString -}}
{{- if regexMatch "^[0-9]+(k|M|G|Ki|Mi|Gi)?$" $limit -}}
{{- $factor := get (dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824) (regexFind "[A-Za-z]*$" $limit) -}}
{{- div (mul (regexFind "^[0-9]+" $limit | int64) $factor 9) 10 -}}
{{- end -}}
{{- end -}}

{{/* What the operator puts on every instance's pods. */}}
{{- define "socialops.runtimeLabels" -}}
app.kubernetes.io/name: socialops
app.kubernetes.io/component: runtime
app.kubernetes.io/managed-by: socialops-operator
{{- end -}}

{{- define "socialops.consoleRules" -}}
rules:
  - apiGroups: [socialops.dev]
    resources: [channelbindings]
    verbs: [get, list, create, patch]
{{- end -}}

{{/* socialops.tlsMode TLS: YAML 1.1 reads a bare Off as false. */}}
{{- define "socialops.tlsMode" -}}
{{- eq (toString .) "false" | ternary "Off" . -}}
{{- end -}}

{{/* Where people open the console; empty when nothing routes there. */}}
{{- define "socialops.consoleURL" -}}
{{- with .Values.console.exposure -}}
{{- if ne .type "None" -}}
{{ eq (include "socialops.tlsMode" .tls) "Off" | ternary "http" "https" }}://{{ .host }}/
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the restricted Pod Security Standard asks of a pod, for an image whose user has no name. */}}
{{- define "socialops.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "socialops.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}

{{/* socialops.placement PART: where its pods may run. */}}
{{- define "socialops.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "socialops.telegramArgs" -}}
{{- with .Values.telegram.apiURL }}
- --telegram-api-url={{ . }}
{{- end }}
{{- if .Values.telegram.ca.configMap }}
- --telegram-ca-file=/etc/socialops/telegram-ca/ca.crt
{{- end }}
{{- end -}}

{{- define "socialops.telegramVolumeMounts" -}}
{{- if .Values.telegram.ca.configMap }}
- name: telegram-ca
  mountPath: /etc/socialops/telegram-ca
  readOnly: true
{{- end }}
{{- end -}}

{{- define "socialops.telegramVolumes" -}}
{{- with .Values.telegram.ca }}
{{- if .configMap }}
- name: telegram-ca
  configMap:
    name: {{ .configMap }}
    items:
      - key: {{ .key }}
        path: ca.crt
{{- end }}
{{- end }}
{{- end -}}
