// The Kubernetes cluster, and where its containers' logs go.
param location string
param name string

@description('The cluster\'s own identity.')
param identityId string

@description('The subnet of the nodes.')
param subnetId string

@description('The Log Analytics workspace.')
param logsId string

param nodeSize string
param nodesMin int
param nodesMax int
param zones string[]

@description('Object id of who may administer it, and the role that says so.')
param administrator string
param administratorRole string

resource cluster 'Microsoft.ContainerService/managedClusters@2025-05-01' = {
  name: name
  location: location
  sku: { name: 'Base', tier: 'Standard' }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    dnsPrefix: name
    // Nobody holds a key of the cluster: who may what is said in Entra ID.
    disableLocalAccounts: true
    aadProfile: { managed: true, enableAzureRBAC: true }
    oidcIssuerProfile: { enabled: true }
    securityProfile: { workloadIdentity: { enabled: true } }
    // Silos reach each other by the pods' addresses; Cilium enforces the network policy of infra/kubernetes/shoal.yaml.
    networkProfile: {
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkDataplane: 'cilium'
      networkPolicy: 'cilium'
      podCidr: '10.244.0.0/16'
      serviceCidr: '10.0.0.0/16'
      dnsServiceIP: '10.0.0.10'
    }
    agentPoolProfiles: [
      {
        name: 'silos'
        mode: 'System'
        vmSize: nodeSize
        osType: 'Linux'
        osSKU: 'AzureLinux'
        count: nodesMin
        minCount: nodesMin
        maxCount: nodesMax
        enableAutoScaling: true
        availabilityZones: zones
        vnetSubnetID: subnetId
        // One node at a time, as the disruption budget of the silos allows.
        upgradeSettings: { maxSurge: '1', drainTimeoutInMinutes: 10 }
      }
    ]
    autoUpgradeProfile: { upgradeChannel: 'stable', nodeOSUpgradeChannel: 'NodeImage' }
    addonProfiles: {
      omsagent: {
        enabled: true
        config: { logAnalyticsWorkspaceResourceID: logsId, useAADAuth: 'true' }
      }
    }
  }
}

resource administers 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(cluster.id, administrator, administratorRole)
  scope: cluster
  properties: {
    principalId: administrator
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', administratorRole)
  }
}

// Without a rule the agent on the nodes sends nothing.
resource collection 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: '${name}-containers'
  location: location
  kind: 'Linux'
  properties: {
    dataSources: {
      extensions: [
        {
          name: 'ContainerInsightsExtension'
          extensionName: 'ContainerInsights'
          streams: ['Microsoft-ContainerLogV2', 'Microsoft-KubeEvents', 'Microsoft-KubePodInventory']
          extensionSettings: {
            dataCollectionSettings: {
              interval: '1m'
              namespaceFilteringMode: 'Exclude'
              namespaces: ['kube-system']
              enableContainerLogV2: true
            }
          }
        }
      ]
    }
    destinations: {
      logAnalytics: [{ name: 'logs', workspaceResourceId: logsId }]
    }
    dataFlows: [
      {
        streams: ['Microsoft-ContainerLogV2', 'Microsoft-KubeEvents', 'Microsoft-KubePodInventory']
        destinations: ['logs']
      }
    ]
  }
}

resource collects 'Microsoft.Insights/dataCollectionRuleAssociations@2023-03-11' = {
  name: 'ContainerInsightsExtension'
  scope: cluster
  properties: { dataCollectionRuleId: collection.id }
}

output name string = cluster.name
output issuer string = cluster.properties.oidcIssuerProfile.issuerURL
output kubeletPrincipalId string = cluster.properties.identityProfile.kubeletidentity.objectId
