export { type ListedObject, type ObjectStore, type StoredObject } from './lib/object-store.ts'
