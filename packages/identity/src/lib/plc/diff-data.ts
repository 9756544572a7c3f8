import type { PlcData, PlcService } from './operation.ts'

/** One thing that differs between two operations of a DID. */
export type PlcChange =
  | {
      readonly what: 'rotationKey'
      readonly kind: 'added' | 'removed'
      readonly key: string
      readonly position: number
    }
  /** The same keys in another order: another one is the strongest. */
  | { readonly what: 'rotationKeys'; readonly kind: 'reordered'; readonly keys: readonly string[] }
  | {
      readonly what: 'verificationMethod'
      readonly kind: 'added' | 'removed' | 'changed'
      readonly name: string
      readonly before: string | undefined
      readonly after: string | undefined
    }
  | {
      readonly what: 'service'
      readonly kind: 'added' | 'removed' | 'changed'
      readonly name: string
      readonly before: PlcService | undefined
      readonly after: PlcService | undefined
    }
  | {
      readonly what: 'alias'
      readonly kind: 'added' | 'removed'
      readonly alias: string
      readonly position: number
    }
  | { readonly what: 'aliases'; readonly kind: 'reordered'; readonly aliases: readonly string[] }

const NOTHING: PlcData = { rotationKeys: [], verificationMethods: {}, alsoKnownAs: [], services: {} }

/**
 * What an operation changes, in the order in which it matters: who may change the DID, who signs for it, where it
 * lives, what it is called.
 * @param before `undefined` for a genesis. @param after `undefined` for a tombstone.
 */
export function diffData(before: PlcData = NOTHING, after: PlcData = NOTHING): PlcChange[] {
  return [
    ...diffList(before.rotationKeys, after.rotationKeys, {
      one: (kind, key, position) => ({ what: 'rotationKey', kind, key, position }),
      order: (keys) => ({ what: 'rotationKeys', kind: 'reordered', keys }),
    }),
    ...diffMap(before.verificationMethods, after.verificationMethods, (kind, name, was, is) => ({
      what: 'verificationMethod',
      kind,
      name,
      before: was,
      after: is,
    })),
    ...diffMap(before.services, after.services, (kind, name, was, is) => ({
      what: 'service',
      kind,
      name,
      before: was,
      after: is,
    })),
    ...diffList(before.alsoKnownAs, after.alsoKnownAs, {
      one: (kind, alias, position) => ({ what: 'alias', kind, alias, position }),
      order: (aliases) => ({ what: 'aliases', kind: 'reordered', aliases }),
    }),
  ]
}

function diffList(
  before: readonly string[],
  after: readonly string[],
  say: {
    one: (kind: 'added' | 'removed', item: string, position: number) => PlcChange
    order: (items: readonly string[]) => PlcChange
  },
): PlcChange[] {
  const removed = [...before.entries()].filter(([, item]) => !after.includes(item))
  const added = [...after.entries()].filter(([, item]) => !before.includes(item))
  const changes = [
    ...removed.map(([position, item]) => say.one('removed', item, position)),
    ...added.map(([position, item]) => say.one('added', item, position)),
  ]
  const kept = (items: readonly string[], others: readonly string[]) =>
    items.filter((item) => others.includes(item))
  const isReordered = kept(before, after).join('\n') !== kept(after, before).join('\n')
  return isReordered ? [...changes, say.order(after)] : changes
}

function diffMap<V>(
  before: Readonly<Record<string, V>>,
  after: Readonly<Record<string, V>>,
  say: (
    kind: 'added' | 'removed' | 'changed',
    name: string,
    was: V | undefined,
    is: V | undefined,
  ) => PlcChange,
): PlcChange[] {
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  const changes: PlcChange[] = []
  for (const [name, value] of was) {
    if (!is.has(name)) changes.push(say('removed', name, value, undefined))
    else if (JSON.stringify(value) !== JSON.stringify(is.get(name)))
      changes.push(say('changed', name, value, is.get(name)))
  }
  for (const [name, value] of is) if (!was.has(name)) changes.push(say('added', name, undefined, value))
  return changes
}
