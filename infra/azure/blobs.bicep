// The storage account: all that must last.
param location string

@description('Unique in all of Azure, 3 to 24 small letters and digits.')
param name string

@description('The silos\' identity, and the role by which it reads and writes blobs.')
param principalId string
param role string

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  // Copies in three zones: an acknowledged item outlives one of them. Append blobs, which logs are, are not for premium accounts' block blobs.
  sku: { name: 'Standard_ZRS' }
  properties: {
    accessTier: 'Hot'
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    // Only identities: there is no key that could get lost.
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    publicNetworkAccess: 'Disabled'
    networkAcls: { defaultAction: 'Deny', bypass: 'None' }
  }

  resource service 'blobServices' = {
    name: 'default'

    resource container 'containers' = {
      name: 'shoal'
      properties: { publicAccess: 'None' }
    }
  }
}

// For the account and not for the one container: a backup may go to a container of its own.
resource opens 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, role)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}

output id string = account.id
output address string = account.properties.primaryEndpoints.blob
output container string = account::service::container.name
