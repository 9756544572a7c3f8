export { type Console, type ConsoleOptions, createConsole } from './console/create-console.ts'
export { type Address, type Addresses, addressesAt, type PartName } from './network/addresses.ts'
export { type DataFolder, type NetworkIdentity, openDataFolder } from './network/data-folder.ts'
export { type NetworkOptions, startNetwork } from './network/start-network.ts'
