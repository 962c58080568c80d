-- Health of a ValkeyConnection in Argo CD: argocd-cm, key resource.customizations.health.cloudvalkey.dev_ValkeyConnection
local health = { status = "Progressing", message = "waiting for the operator" }
local status = obj.status
if status == nil or status.conditions == nil then
  return health
end
-- What the operator says of an older spec says nothing of this one.
if status.observedGeneration ~= nil and obj.metadata.generation ~= nil
    and status.observedGeneration < obj.metadata.generation then
  health.message = "waiting for the operator to see the new spec"
  return health
end
local by_type = {}
for _, condition in ipairs(status.conditions) do
  by_type[condition.type] = condition
end
local ready, resolved, stalled = by_type.Ready, by_type.Resolved, by_type.Stalled
if stalled ~= nil and stalled.status == "True" then
  health.status = "Degraded"
  health.message = stalled.reason .. ": " .. stalled.message
elseif ready ~= nil and ready.status == "True" then
  -- Pods start and run. A look-up that fails is told, but does not fail a sync.
  health.status = "Healthy"
  health.message = ready.message
elseif resolved ~= nil and resolved.status == "False" then
  -- Never resolved: it may heal by itself (a role, an instance that is created later), so it is not Degraded.
  health.message = resolved.reason .. ": " .. resolved.message
elseif ready ~= nil then
  health.message = ready.message
end
return health
