{{/* socialops.uninstallHook WEIGHT */}}
{{- define "socialops.uninstallHook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "socialops.uninstallRules" -}}
rules:
  - apiGroups: [socialops.dev]
    resources: [socialopsinstances, channelbindings]
    verbs: [list, patch]
{{- end -}}
