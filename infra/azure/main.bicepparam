using 'main.bicep'

// az ad signed-in-user show --query id --output tsv
param administrator = '00000000-0000-0000-0000-000000000000'

param name = 'shoal'
param nodesMin = 3
param nodesMax = 6
