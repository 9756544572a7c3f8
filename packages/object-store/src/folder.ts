export { type FolderStoreOptions, openFolderStore } from './lib/folder-store.ts'
