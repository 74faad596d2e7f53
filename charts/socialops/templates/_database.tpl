{{/* Which database was chosen: existingSecret, cloudnativepg or trial. */}}
{{- define "socialops.database" -}}
{{- with .Values.database -}}
{{- if .trial.enabled -}}trial
{{- else if .cloudnativepg.cluster -}}cloudnativepg
{{- else -}}existingSecret
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The Secret that the operator's URL comes from, each key as a file; the trial has none. */}}
{{- define "socialops.databaseVolume" -}}
- name: database
  secret:
    {{- if eq (include "socialops.database" .) "cloudnativepg" }}
    secretName: {{ .Values.database.cloudnativepg.cluster }}-app
    items:
      - key: uri
        path: url
    {{- else }}
    {{- with .Values.database.existingSecret }}
    secretName: {{ .name }}
    items:
      - key: {{ .key }}
        path: url
      {{- with .directKey }}
      - key: {{ . }}
        path: direct-url
      {{- end }}
    {{- end }}
    {{- end }}
{{- end -}}

{{- define "socialops.trialHost" -}}
{{ include "socialops.fullname" . }}-postgres.{{ .Release.Namespace }}.svc
{{- end -}}
