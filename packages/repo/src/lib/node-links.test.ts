import assert from 'node:assert/strict'
import test from 'node:test'
import { Cid, cidOfDrisl } from '@imago/data'
import { Mst } from './mst.ts'
import { pathOf } from './naive-tree.fixture.ts'
import { nodeLinks } from './node-links.ts'
import { RepoError } from './repo-error.ts'

test('links of trusted nodes, followed in their order, lead through the whole tree', () => {
  for (const size of [0, 1, 7, 400]) {
    const entries = Array.from(
      { length: size },
      (_, n) => [pathOf(n), cidOfDrisl(new Uint8Array([n & 0xff, n >> 8]))] as const,
    )
    const tree = Mst.from(entries)
    const nodes = new Map([...tree.nodes()].map(({ cid, bytes }) => [cid.toString(), bytes]))
    const visited: string[] = []
    const values: string[] = []
    const visit = (cid: Cid) => {
      visited.push(cid.toString())
      const block = nodes.get(cid.toString())!
      for (const link of nodeLinks(block))
        if (link < 0) visit(new Cid(block, ~link))
        else values.push(new Cid(block, link).toString())
    }
    visit(tree.root)
    assert.deepEqual(visited, [...nodes.keys()])
    assert.deepEqual(
      values,
      Array.from(tree.entries(), ([, cid]) => cid.toString()),
    )
    const root = nodes.get(tree.root.toString())!
    for (const end of [0, 1, 4, root.length - 1])
      assert.throws(() => nodeLinks(root.subarray(0, end)), RepoError)
  }
})
