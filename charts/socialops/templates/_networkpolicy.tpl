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

{{- define "socialops.egressToAPIServer" -}}
# The API server.
- ports:
    - port: 443
    - port: 6443
  {{- with .Values.networkPolicy.apiServerCIDRs }}
  to:
    {{- range . }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- define "socialops.egressToProviders" -}}
{{- include "socialops.egressToURLs" (list .Values.telegram.apiURL .Values.tracing.endpoint) -}}
{{- end -}}

{{/*
socialops.egressToURLs URLS: a policy can't name hosts, so it is any address, on 443 and on the ports of those that are
not empty.
*/}}
{{- define "socialops.egressToURLs" -}}
- ports:
    {{- $ports := list 443 }}
    {{- range compact . }}
    {{- $url := urlParse . }}
    {{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "http" | ternary 80 443) | int) }}
    {{- end }}
    {{- range $ports | uniq }}
    - port: {{ . }}
    {{- end }}
{{- end -}}
