import { type Setting, text } from '@imago/service'

/**
 * A setting of the reference that does nothing here yet.
 * @param about completes "Has no effect yet".
 */
export const withoutEffect = (env: string, about: string): Setting<string> => ({
  env,
  kind: text,
  secret: true,
  doc: `Has no effect yet (${about}); taken so that environment files of the reference can be used as they are.`,
})

const noOauth = 'there are no pages to sign in on'
const noMail = 'no mail is sent'
const noProxy = 'nothing is passed on to other services'
const noRateLimits = 'there are no rate limits'
const oneFile = 'everything lies in one file of the data directory'
const noCaptcha = 'sign-up asks for no captcha'

/**
 * Settings of the reference that do nothing here, so that a server which is taken over starts with the environment that
 * it had. Those of an entryway are not among them: without it, such a server would answer wrongly.
 */
export const settingsWithoutEffect = {
  serviceName: withoutEffect('PDS_SERVICE_NAME', noOauth),
  versionLabel: withoutEffect('PDS_VERSION', 'the version is our own'),
  homeUrl: withoutEffect('PDS_HOME_URL', noOauth),
  logoUrl: withoutEffect('PDS_LOGO_URL', noOauth),
  supportUrl: withoutEffect('PDS_SUPPORT_URL', noOauth),
  primaryColor: withoutEffect('PDS_PRIMARY_COLOR', noOauth),
  errorColor: withoutEffect('PDS_ERROR_COLOR', noOauth),
  warningColor: withoutEffect('PDS_WARNING_COLOR', noOauth),
  infoColor: withoutEffect('PDS_INFO_COLOR', noOauth),
  successColor: withoutEffect('PDS_SUCCESS_COLOR', noOauth),
  backgroundLightUrl: withoutEffect('PDS_BACKGROUND_LIGHT_URL', noOauth),
  backgroundDarkUrl: withoutEffect('PDS_BACKGROUND_DARK_URL', noOauth),
  trustedOAuthClients: withoutEffect('PDS_OAUTH_TRUSTED_CLIENTS', noOauth),
  dpopSecret: withoutEffect('PDS_DPOP_SECRET', noOauth),
  lexiconAuthorityDid: withoutEffect('PDS_LEXICON_AUTHORITY_DID', noOauth),
  hcaptchaSiteKey: withoutEffect('PDS_HCAPTCHA_SITE_KEY', noCaptcha),
  hcaptchaSecretKey: withoutEffect('PDS_HCAPTCHA_SECRET_KEY', noCaptcha),
  hcaptchaTokenSalt: withoutEffect('PDS_HCAPTCHA_TOKEN_SALT', noCaptcha),
  accountDatabase: withoutEffect('PDS_ACCOUNT_DB_LOCATION', oneFile),
  sequencerDatabase: withoutEffect('PDS_SEQUENCER_DB_LOCATION', oneFile),
  didCacheDatabase: withoutEffect('PDS_DID_CACHE_DB_LOCATION', 'identities are kept in memory'),
  actorStoreDirectory: withoutEffect('PDS_ACTOR_STORE_DIRECTORY', oneFile),
  actorStoreCacheSize: withoutEffect('PDS_ACTOR_STORE_CACHE_SIZE', oneFile),
  disableWalAutoCheckpoint: withoutEffect('PDS_SQLITE_DISABLE_WAL_AUTO_CHECKPOINT', oneFile),
  blobsTemporaryDirectory: withoutEffect(
    'PDS_BLOBSTORE_DISK_TMP_LOCATION',
    'uploads lie in the folder of blobs',
  ),
  didCacheStaleTtl: withoutEffect('PDS_DID_CACHE_STALE_TTL', 'identities are kept for times of our own'),
  didCacheMaxTtl: withoutEffect('PDS_DID_CACHE_MAX_TTL', 'identities are kept for times of our own'),
  resolverTimeout: withoutEffect('PDS_ID_RESOLVER_TIMEOUT', 'the time-out is our own'),
  handleNameservers: withoutEffect(
    'PDS_HANDLE_BACKUP_NAMESERVERS',
    'the name servers of the system are asked',
  ),
  didDocumentWithSession: withoutEffect(
    'PDS_ENABLE_DID_DOC_WITH_SESSION',
    'sessions always bring the document',
  ),
  plcRotationKmsKey: withoutEffect('PDS_PLC_ROTATION_KEY_KMS_KEY_ID', 'the key itself has to be named'),
  inviteInterval: withoutEffect('PDS_INVITE_INTERVAL', 'accounts get no invite codes by themselves'),
  inviteEpoch: withoutEffect('PDS_INVITE_EPOCH', 'accounts get no invite codes by themselves'),
  emailWithoutLink: withoutEffect('PDS_EMAIL_DISABLE_CONFIRMATION_LINK', noMail),
  moderationEmailSmtpUrl: withoutEffect('PDS_MODERATION_EMAIL_SMTP_URL', noMail),
  moderationEmailAddress: withoutEffect('PDS_MODERATION_EMAIL_ADDRESS', noMail),
  maxSubscriptionBuffer: withoutEffect(
    'PDS_MAX_SUBSCRIPTION_BUFFER',
    'readers of the stream have no buffers',
  ),
  appViewCdnUrlPattern: withoutEffect('PDS_BSKY_APP_VIEW_CDN_URL_PATTERN', noProxy),
  moderationServiceUrl: withoutEffect('PDS_MOD_SERVICE_URL', noProxy),
  moderationServiceDid: withoutEffect('PDS_MOD_SERVICE_DID', noProxy),
  rateLimitBypassKey: withoutEffect('PDS_RATE_LIMIT_BYPASS_KEY', noRateLimits),
  rateLimitBypassIps: withoutEffect('PDS_RATE_LIMIT_BYPASS_IPS', noRateLimits),
  redisScratchAddress: withoutEffect('PDS_REDIS_SCRATCH_ADDRESS', noRateLimits),
  redisScratchPassword: withoutEffect('PDS_REDIS_SCRATCH_PASSWORD', noRateLimits),
  disableSsrfProtection: withoutEffect('PDS_DISABLE_SSRF_PROTECTION', 'private addresses are never asked'),
  fetchMaxResponseSize: withoutEffect('PDS_FETCH_MAX_RESPONSE_SIZE', 'the limit is our own'),
  proxyAllowHttp2: withoutEffect('PDS_PROXY_ALLOW_HTTP2', noProxy),
  proxyHeadersTimeout: withoutEffect('PDS_PROXY_HEADERS_TIMEOUT', noProxy),
  proxyBodyTimeout: withoutEffect('PDS_PROXY_BODY_TIMEOUT', noProxy),
  proxyMaxResponseSize: withoutEffect('PDS_PROXY_MAX_RESPONSE_SIZE', noProxy),
  proxyMaxRetries: withoutEffect('PDS_PROXY_MAX_RETRIES', noProxy),
  proxyPreferCompressed: withoutEffect('PDS_PROXY_PREFER_COMPRESSED', noProxy),
  devMode: withoutEffect('PDS_DEV_MODE', 'PDS_HOSTNAME=localhost makes a server for development'),
} as const
