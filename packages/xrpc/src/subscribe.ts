export type { ListedMessageOf } from './lib/schema-types.ts'
export type { Ending } from './lib/stream-connection.ts'
export { type Disconnect, type SubscribeOptions, subscribe } from './lib/subscribe.ts'
export { type Ignored, type SubscribeMessagesOptions, subscribeMessages } from './lib/subscribe-messages.ts'
