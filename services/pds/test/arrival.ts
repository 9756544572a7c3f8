// Someone who moves here from a host that is no more than a key: a DID, and what the old host signed with it.
import assert from 'node:assert/strict'
import { generateKeypair, type Keypair } from '@imago/crypto'
import {
  type Block,
  BlockMap,
  carEntry,
  carHeader,
  cidOfDrisl,
  cidOfRaw,
  concatBytes,
  encode,
  type Value,
} from '@imago/data'
import { createGenesis, type PlcOperation, updateOperation } from '@imago/identity/plc'
import { exportRepo, Mst, signCommit } from '@imago/repo'
import { type Did, type Tid, tidFromMicros } from '@imago/syntax'
import { signServiceToken } from '../src/identity/service-token.ts'
import type { Answer, TestAccount, TestPds } from './test-pds.ts'

export interface Arriving {
  readonly did: Did
  readonly oldKey: Keypair
  /** Signs the operations of the DID. */
  readonly owner: Keypair
  token(claims?: Partial<{ aud: string; lxm: string; exp: number; iss: string }>, key?: Keypair): string
  createAccount(body?: object, token?: string): Promise<Answer>
  /** Makes the DID document say what this host recommends. */
  pointHere(account: TestAccount): Promise<void>
}

export async function arriving(pds: TestPds, name = 'alice'): Promise<Arriving> {
  const oldKey = generateKeypair('k256')
  const owner = generateKeypair('k256')
  const { did, operation } = createGenesis(
    {
      rotationKeys: [owner.didKey],
      verificationMethods: { atproto: oldKey.didKey },
      alsoKnownAs: [`at://${name}.old.test`],
      services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://old.test' } },
    },
    owner,
  )
  await pds.plc.submit(did, operation)
  const seconds = () => Math.floor(pds.clock.now() / 1000)
  const token: Arriving['token'] = (claims = {}, key = oldKey) =>
    signServiceToken(
      {
        iss: did,
        aud: 'did:web:pds.test',
        lxm: 'com.atproto.server.createAccount',
        iat: seconds(),
        exp: seconds() + 60,
        jti: 'once',
        ...claims,
      },
      key,
    )
  return {
    did,
    oldKey,
    owner,
    token,
    createAccount: (body = {}, given = token()) =>
      pds.procedure('com.atproto.server.createAccount', {
        token: given,
        body: { handle: `${name}.test`, password: 'a password', did, ...body },
      }),
    async pointHere({ accessJwt }) {
      const { body } = await pds.query('com.atproto.identity.getRecommendedDidCredentials', {
        token: accessJwt,
      })
      const last = pds.plc.operations(did).at(-1) as PlcOperation
      const operation = updateOperation(
        last,
        { ...body, rotationKeys: [owner.didKey, ...body.rotationKeys] },
        owner,
      )
      const answer = await pds.procedure('com.atproto.identity.submitPlcOperation', {
        token: accessJwt,
        body: { operation },
      })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
    },
  }
}

/** A repository as a host would export it. */
export function repoOf(
  did: Did,
  keypair: Keypair,
  records: Readonly<Record<string, Value>>,
  rev: Tid = '3jzfcijpj2z2a',
) {
  const blocks = new BlockMap()
  const entries = Object.entries(records).map(([path, value]) => {
    const bytes = value instanceof Uint8Array ? value : encode(value)
    const cid = cidOfDrisl(bytes)
    blocks.set(cid, bytes)
    return [path, cid] as const
  })
  const tree = Mst.from(entries)
  const signed = signCommit({ did, data: tree.root, rev }, keypair)
  blocks.addAll(tree.nodes()).set(signed.cid, signed.bytes)
  const sent: Block[] = [...exportRepo(blocks, signed.cid)]
  return { signed, tree, blocks, sent, entries, car: carOf([signed.cid], sent) }
}

export const carOf = (roots: Parameters<typeof carHeader>[0], blocks: Iterable<Block>): Uint8Array =>
  concatBytes([carHeader(roots), ...Array.from(blocks, carEntry)])

/** Posts, some of them with pictures, and likes. */
export function someRecords(count: number): Record<string, Value> {
  const records: Record<string, Value> = {}
  for (let i = 0; i < count; i++) {
    const rkey = tidFromMicros(1_600_000_000_000_000 + i * 1_000_000, 5)
    if (i % 3 === 0)
      records[`app.bsky.feed.like/${rkey}`] = {
        $type: 'app.bsky.feed.like',
        subject: { uri: `at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/${i}`, cid: 'bafy' },
      }
    else
      records[`app.bsky.feed.post/${rkey}`] = {
        $type: 'app.bsky.feed.post',
        text: `number ${i}`,
        ...(i % 10 === 1 && { image: pictureRef(i) }),
      }
  }
  return records
}

export const picture = (i: number): Uint8Array => encode({ picture: i })
export const pictureRef = (i: number) => ({
  $type: 'blob' as const,
  ref: cidOfRaw(picture(i)),
  mimeType: 'image/x-test',
  size: picture(i).length,
})

export const importCar = (
  pds: TestPds,
  token: string,
  body: Uint8Array | ReadableStream<Uint8Array>,
): Promise<Answer> =>
  pds
    .request('/xrpc/com.atproto.repo.importRepo', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/vnd.ipld.car', authorization: `Bearer ${token}` },
    } as RequestInit)
    .then(async (response) => {
      const text = await response.text()
      return {
        status: response.status,
        body: text === '' ? '' : JSON.parse(text),
        headers: response.headers,
      }
    })
