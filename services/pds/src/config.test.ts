import assert from 'node:assert/strict'
import test from 'node:test'
import { readConfig } from './config.ts'

const required = {
  PDS_JWT_SECRET: 'a secret of sixteen or more',
  PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: '07'.repeat(32),
}

test('a host name makes address, DID and handles', () => {
  const { config } = readConfig({ ...required, PDS_HOSTNAME: 'pds.example.com' })
  assert.deepEqual(
    [config.publicUrl, config.serviceDid, config.handleDomains],
    ['https://pds.example.com', 'did:web:pds.example.com', ['.pds.example.com']],
  )
})

test('localhost is for development: http, a port in the DID, handles under .test', () => {
  const { config } = readConfig({ ...required, PDS_PORT: '12583' })
  assert.deepEqual(
    [config.publicUrl, config.serviceDid, config.handleDomains],
    ['http://localhost:12583', 'did:web:localhost%3A12583', ['.test']],
  )
})

test('names of the reference are read, and what they say wins', () => {
  const { config } = readConfig({
    ...required,
    PDS_HOSTNAME: 'pds.example.com',
    PDS_DATA_DIRECTORY: '/pds',
    PDS_BLOBSTORE_DISK_LOCATION: '/pds/blocks',
    PDS_BLOB_UPLOAD_LIMIT: '314572800',
    PDS_SERVICE_HANDLE_DOMAINS: '.example.com,.Example.org',
    PDS_SERVICE_DID: 'did:web:other.example.com',
    PDS_CRAWLERS: 'https://bsky.network, https://relay.example.com/',
    PDS_DID_PLC_URL: 'https://plc.example.com/',
  })
  assert.equal(config.blobsDirectory, '/pds/blocks')
  assert.equal(config.blobUploadLimitBytes, 314_572_800)
  assert.deepEqual(config.handleDomains, ['.example.com', '.example.org'])
  assert.equal(config.serviceDid, 'did:web:other.example.com')
  assert.deepEqual(config.crawlers, ['https://bsky.network', 'https://relay.example.com'])
  assert.equal(config.plcUrl, 'https://plc.example.com')
})

test("an environment file of the reference's installer is taken, and what it sets in vain is told", () => {
  const { withoutEffect } = readConfig({
    ...required,
    PDS_BSKY_APP_VIEW_URL: 'https://api.bsky.app',
    PDS_EMAIL_SMTP_URL: 'smtps://user:secret@mail.example.com',
  })
  assert.deepEqual(withoutEffect, ['PDS_BSKY_APP_VIEW_URL', 'PDS_EMAIL_SMTP_URL'])
})

test('what is wrong is told, and secrets are not', () => {
  assert.throws(() => readConfig({}), /PDS_JWT_SECRET(.|\n)*PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX/)
  assert.throws(
    () => readConfig({ ...required, PDS_JWT_SECRET: 'short' }),
    (error: Error) => {
      assert.match(error.message, /5 characters: at least 16/)
      assert.doesNotMatch(error.message, /'short'/)
      return true
    },
  )
  assert.throws(() => readConfig({ ...required, PDS_HOSTNAM: 'x' }), /PDS_HOSTNAME/)
})

test('[B7] blobs lie in a folder or in a bucket, by the names of the reference', () => {
  const s3 = {
    ...required,
    PDS_BLOBSTORE_S3_BUCKET: 'blobs',
    PDS_BLOBSTORE_S3_REGION: 'eu-central-1',
    PDS_BLOBSTORE_S3_ENDPOINT: 'https://s3.example.com',
    PDS_BLOBSTORE_S3_FORCE_PATH_STYLE: 'true',
    PDS_BLOBSTORE_S3_ACCESS_KEY_ID: 'AKID',
    PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY: 'sesame',
    PDS_BLOBSTORE_S3_UPLOAD_TIMEOUT_MS: '20000',
  }
  assert.deepEqual(readConfig(s3).config.blobsBucket, {
    bucket: 'blobs',
    region: 'eu-central-1',
    endpoint: 'https://s3.example.com',
    forcePathStyle: true,
    accessKeyId: 'AKID',
    secretAccessKey: 'sesame',
    prefix: undefined,
    requestTimeoutMs: 15_000,
    uploadTimeoutMs: 20_000,
  })
  assert.equal(readConfig(required).config.blobsBucket, undefined)
  assert.throws(
    () => readConfig({ ...s3, PDS_BLOBSTORE_DISK_LOCATION: '/pds/blocks' }),
    /set only one of them/,
  )
  const { PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY: _, ...half } = s3
  assert.throws(() => readConfig(half), /set both, or neither/)
})

test('[B8] a quota of blobs', () => {
  const { config } = readConfig({ ...required, PDS_BLOB_QUOTA: '10000000', PDS_BLOB_QUOTA_COUNT: '500' })
  assert.deepEqual(config.blobQuota, { maxBytes: 10_000_000, maxCount: 500 })
})
