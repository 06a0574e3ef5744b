// The Redis that keeps the list of silos: Azure Managed Redis, since Azure Cache for Redis is being retired.
param location string

@description('Unique in its region.')
param name string

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: name
  location: location
  // The smallest there is: the list has a line for each silo.
  sku: { name: 'Balanced_B0' }
  properties: {
    minimumTlsVersion: '1.2'
    highAvailability: 'Enabled'
    publicNetworkAccess: 'Disabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: redis
  name: 'default'
  properties: {
    port: 10000
    clientProtocol: 'Encrypted'
    // One address for clients, as of a server that is alone.
    clusteringPolicy: 'EnterpriseCluster'
    // A list that forgets silos would be worse than one that takes no more.
    evictionPolicy: 'NoEviction'
    // The silo names Redis as StackExchange.Redis writes it, with a password.
    accessKeysAuthentication: 'Enabled'
  }
}

output id string = redis.id
output name string = redis.name
output address string = '${redis.properties.hostName}:${database.properties.port}'
