import assert from 'node:assert/strict'
import test from 'node:test'
import { pdsFoldersOf } from './pds-data-options.ts'

test('folders come from options, then from the environment, then from habit', () => {
  const env = { PDS_DATA_DIRECTORY: '/pds', PDS_BLOBSTORE_DISK_LOCATION: '/blobs' }
  const cases: [options: object, env: Record<string, string>, data: string, blobs: string][] = [
    [{}, {}, './data/pds', './data/pds/blobs'],
    [{}, { PDS_DATA_DIRECTORY: '/pds' }, '/pds', '/pds/blobs'],
    [{}, env, '/pds', '/blobs'],
    [{ blobs: '/mine' }, env, '/pds', '/mine'],
    // Blobs of the environment belong to its own data directory.
    [{ data: '/copy' }, env, '/copy', '/copy/blobs'],
    [{ data: '/copy', blobs: '/mine' }, env, '/copy', '/mine'],
  ]
  for (const [options, variables, dataDirectory, blobsDirectory] of cases)
    assert.deepEqual(pdsFoldersOf(options, variables), { dataDirectory, blobsDirectory })
})
