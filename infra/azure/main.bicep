// What Shoal needs of Azure: a Kubernetes cluster, a storage account, a Redis for the list of silos, a registry for the image, and logs.
// How to use it: docs/how-to/run-on-azure.md. Why Kubernetes and not Container Apps: docs/decisions/0008-azure.md.
targetScope = 'resourceGroup'

@description('Where everything is.')
param location string = resourceGroup().location

@description('What names begin with: small letters and digits.')
@minLength(4)
@maxLength(10)
param name string = 'shoal'

@description('Object id, in Entra ID, of the user or group who may administer the Kubernetes cluster.')
param administrator string

@description('The namespace in Kubernetes that silos run in.')
param namespace string = 'shoal'

@description('The size of a node. Each silo asks for one core and 1 GiB.')
param nodeSize string = 'Standard_D4s_v5'

@description('The fewest nodes: silos spread over them.')
@minValue(1)
param nodesMin int = 3

@description('The most nodes that autoscaling of silos may add.')
param nodesMax int = 6

@description('Availability zones of the nodes; empty where the region has none.')
param zones string[] = ['1', '2', '3']

// Names of storage accounts and registries are unique in all of Azure.
var unique = '${name}${uniqueString(resourceGroup().id)}'

// What Azure calls its built-in roles.
var roles = {
  blobs: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  pull: '7f951dda-4ed3-4680-a7ca-43fe172d538d' // AcrPull
  network: '4d97b98b-1d4f-4787-a291-c67834d212e7' // Network Contributor
  administrator: 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b' // Azure Kubernetes Service RBAC Cluster Admin
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  properties: {
    addressSpace: { addressPrefixes: ['10.240.0.0/16'] }
    subnets: [
      { name: 'nodes', properties: { addressPrefix: '10.240.0.0/20' } }
      { name: 'endpoints', properties: { addressPrefix: '10.240.16.0/24' } }
    ]
  }

  resource nodes 'subnets' existing = { name: 'nodes' }
  resource endpoints 'subnets' existing = { name: 'endpoints' }
}

// The cluster's own identity, which joins nodes to the network, and the silos', which opens the blobs.
resource clusterIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-cluster'
  location: location
}

resource siloIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-silo'
  location: location
}

resource joinsNetwork 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(network.id, clusterIdentity.id, roles.network)
  scope: network::nodes
  properties: {
    principalId: clusterIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.network)
  }
}

module cluster 'cluster.bicep' = {
  params: {
    location: location
    name: name
    identityId: clusterIdentity.id
    subnetId: network::nodes.id
    logsId: logs.id
    nodeSize: nodeSize
    nodesMin: nodesMin
    nodesMax: nodesMax
    zones: zones
    administrator: administrator
    administratorRole: roles.administrator
  }
  dependsOn: [joinsNetwork]
}

// The pods' service account `shoal` is the silos' identity: no key of the storage account is anywhere.
resource siloIsPod 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: siloIdentity
  name: 'pods'
  properties: {
    issuer: cluster.outputs.issuer
    subject: 'system:serviceaccount:${namespace}:shoal'
    audiences: ['api://AzureADTokenExchange']
  }
}

module blobs 'blobs.bicep' = {
  params: {
    location: location
    name: take(unique, 24)
    principalId: siloIdentity.properties.principalId
    role: roles.blobs
  }
}

module redis 'redis.bicep' = {
  params: {
    location: location
    name: unique
  }
}

module blobsInNetwork 'endpoint.bicep' = {
  params: {
    location: location
    name: '${name}-blobs'
    networkId: network.id
    subnetId: network::endpoints.id
    targetId: blobs.outputs.id
    group: 'blob'
    zone: 'privatelink.blob.${environment().suffixes.storage}'
  }
}

module redisInNetwork 'endpoint.bicep' = {
  params: {
    location: location
    name: '${name}-redis'
    networkId: network.id
    subnetId: network::endpoints.id
    targetId: redis.outputs.id
    group: 'redisEnterprise'
    zone: 'privatelink.redis.azure.net'
  }
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: unique
  location: location
  sku: { name: 'Basic' }
  properties: {
    adminUserEnabled: false
  }
}

resource nodesPull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, name, roles.pull)
  scope: registry
  properties: {
    principalId: cluster.outputs.kubeletPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.pull)
  }
}

// What the steps with kubectl need.
output cluster string = cluster.outputs.name
output registry string = registry.properties.loginServer
output blobs string = blobs.outputs.address
output container string = blobs.outputs.container
output redis string = redis.outputs.name
output redisAddress string = redis.outputs.address
output siloClientId string = siloIdentity.properties.clientId
output namespace string = namespace
