{{/* socialops.ingressFromMonitoring PORT ROOT: nobody calls these pods but Prometheus, and the kubelet, whom no policy keeps out. */}}
{{- define "socialops.ingressFromMonitoring" -}}
{{- with (index . 1).Values.monitoring.namespace -}}
ingress:
  - ports:
      - port: {{ index $ 0 }}
    from:
      - namespaceSelector:
          matchLabels:
            kubernetes.io/metadata.name: {{ . }}
{{- else -}}
ingress: []
{{- end -}}
{{- end -}}

{{- define "socialops.egressToDNS" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{- define "socialops.egressToDatabase" -}}
- ports:
    {{- range .Values.database.ports }}
    - port: {{ . }}
    {{- end }}
  {{- if eq (include "socialops.database" .) "trial" }}
  to:
    - podSelector:
        matchLabels: {{- include "socialops.selectorLabels" (list "trial-postgres" .) | nindent 10 }}
  {{- else if .Values.database.cidrs }}
  to:
    {{- range .Values.database.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* A policy can't name hosts: Telegram is any address on 443, a Bot API of one's own and a collector any on their ports. */}}
{{- define "socialops.egressToProviders" -}}
- ports:
    {{- $ports := list 443 }}
    {{- range compact (list .Values.telegram.apiURL .Values.tracing.endpoint) }}
    {{- $url := urlParse . }}
    {{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "http" | ternary 80 443) | int) }}
    {{- end }}
    {{- range $ports | uniq }}
    - port: {{ . }}
    {{- end }}
{{- end -}}
