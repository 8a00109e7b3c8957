{{/* What every object bears. Selectors use the name alone: it must never change. */}}
{{- define "chatbot-operator.labels" -}}
app.kubernetes.io/name: chatbot-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* An image, by digest where there is one; takes a list of the image and the default tag. */}}
{{- define "chatbot-operator.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 1) }}
{{- end -}}
{{- end }}

{{/* The settings that differ from what the operator takes by itself. */}}
{{- define "chatbot-operator.settings" -}}
{{- $v := .Values -}}
{{- $settings := list
  (list "PROBE_PORT" $v.probePort)
  (list "CHATBOT_IMAGE" (include "chatbot-operator.image" (list $v.chatbots.image .Chart.AppVersion)))
  (list "OWNER_ID" $v.ownerId)
  (list "IDENTITY_RESOURCE_GROUP" $v.identity.resourceGroup)
  (list "IDENTITY_LOCATION" $v.identity.location)
  (list "REBIND" $v.identity.rebind)
  (list "AZURE_MANAGE" $v.azure.manage)
  (list "AZURE_CLOUD" $v.azure.cloud)
  (list "ARM_ENDPOINT" $v.azure.armEndpoint)
  (list "ARM_SCOPE" $v.azure.armScope)
  (list "OPENAI_SCOPE" $v.azure.openAIScope)
  (list "TOKEN_AUDIENCE" $v.azure.tokenAudience)
  (list "PROOF_DELAY_SECONDS" $v.timing.proofDelaySeconds)
  (list "PROOF_RECHECK_SECONDS" $v.timing.proofRecheckSeconds)
  (list "PROPAGATION_DEADLINE_SECONDS" $v.timing.propagationDeadlineSeconds)
  (list "RESYNC_SECONDS" $v.timing.resyncSeconds)
  (list "WITHDRAWAL_GRACE_SECONDS" $v.timing.withdrawalGraceSeconds)
  (list "CREDENTIAL_GRACE_SECONDS" $v.timing.credentialGraceSeconds)
  (list "CHATBOT_HTTPS_PROXY" $v.chatbots.httpsProxy)
  (list "CHATBOT_NO_PROXY" $v.chatbots.noProxy)
  (list "CHATBOT_CA_FILE" (ternary (printf "/etc/chatbots/%s" $v.chatbots.authorities.key) "" (ne $v.chatbots.authorities.configMap "")))
  (list "EXTRA_CA_FILE" (ternary (printf "/etc/operator/%s" $v.authorities.key) "" (ne $v.authorities.configMap "")))
  (list "WATCH_NAMESPACES" (join "," $v.watchNamespaces))
  (list "GATEWAY_NAMESPACES" (join "," $v.gatewayNamespaces))
  (list "MONITORING_NAMESPACES" (join "," $v.monitoringNamespaces))
  (list "WORKERS" $v.workers)
-}}
{{- range $settings }}
{{- $value := index . 1 }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- name: {{ index . 0 }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What it may do where chatbots are: everywhere, or in each of watchNamespaces. */}}
{{- define "chatbot-operator.rules" -}}
# patch is for metadata.finalizers; update on /finalizers for ownerReferences that block deletion.
- apiGroups: [chatbot-operator.dev]
  resources: [azureopenaichatbots]
  verbs: [get, list, watch, patch]
- apiGroups: [chatbot-operator.dev]
  resources: [azureopenaichatbots/finalizers]
  verbs: [update]
- apiGroups: [chatbot-operator.dev]
  resources: [azureopenaichatbots/status]
  verbs: [patch]
# What a chatbot is made of. Never secrets, tokens, exec or roles.
- apiGroups: [""]
  resources: [serviceaccounts, configmaps, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, delete]
# What happened, told beside the object that it happened to.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* Where its pods may run, and whose images they may pull. */}}
{{- define "chatbot-operator.placed" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What the restricted Pod Security level asks of pods. */}}
{{- define "chatbot-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What it asks of containers; and nothing can be written. */}}
{{- define "chatbot-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Authorities that are trusted as well, for the settings that name their files. */}}
{{- define "chatbot-operator.mounts" -}}
{{- if or .Values.authorities.configMap .Values.chatbots.authorities.configMap }}
volumeMounts:
  {{- if .Values.authorities.configMap }}
  - name: authorities
    mountPath: /etc/operator
    readOnly: true
  {{- end }}
  {{- if .Values.chatbots.authorities.configMap }}
  - name: chatbots-authorities
    mountPath: /etc/chatbots
    readOnly: true
  {{- end }}
{{- end }}
{{- end }}

{{/* The ConfigMaps that hold them. */}}
{{- define "chatbot-operator.volumes" -}}
{{- if or .Values.authorities.configMap .Values.chatbots.authorities.configMap }}
volumes:
  {{- with .Values.authorities.configMap }}
  - name: authorities
    configMap:
      name: {{ . }}
  {{- end }}
  {{- with .Values.chatbots.authorities.configMap }}
  - name: chatbots-authorities
    configMap:
      name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
