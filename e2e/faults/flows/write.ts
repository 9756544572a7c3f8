import type { Flow } from '../flow.ts'
import { prepareScene } from '../prepare.ts'
import { note } from '../scene.ts'
import { changed, pathOf, writerOf, writes } from '../stage.ts'

/** Records of every kind of write; two repositories are committed together. */
export const writeFlow: Flow = {
  name: 'write',

  prepare: (root) =>
    prepareScene(root, async (pds) => {
      const alice = await pds.createAccount('alice')
      const bob = await pds.createAccount('bob')
      const writer = writerOf(pds, alice)
      for (const rkey of ['old', 'kept']) await writer.create(rkey)
      const repos = {
        [alice.did]: { [pathOf('old')]: note('old'), [pathOf('kept')]: note('kept') },
        [bob.did]: {},
      }
      return { accounts: { alice, bob }, repos }
    }),

  async play({ scene, open, step }) {
    const pds = await open()
    const alice = writerOf(pds, scene.accounts['alice']!)
    const bob = writerOf(pds, scene.accounts['bob']!)
    const { did } = alice
    const batch = ['a1', 'a2', 'a3']
    await step('create', [changed(did, 'one', note('one'))], () => alice.create('one'))
    await step('put', [changed(did, 'one', note('other'))], () => alice.put('one', note('other')))
    await step('put anew', [changed(did, 'two', note('two'))], () => alice.put('two', note('two')))
    await step('delete', [changed(did, 'old', null)], () => alice.delete('old'))
    await step(
      'applyWrites',
      [...batch.map((rkey) => changed(did, rkey, note(rkey))), changed(did, 'kept', note('changed'))],
      () =>
        alice.applyWrites([
          ...batch.map((rkey) => writes.create(rkey, note(rkey))),
          writes.update('kept', note('changed')),
        ]),
    )
    // His session is known from here on: what is sent together arrives together.
    await step('create there', [changed(bob.did, 'one', note('one'))], () => bob.create('one'))
    await Promise.all(
      [alice, bob].map((writer, n) =>
        step(`together ${n}`, [changed(writer.did, 'both', note('both'))], () => writer.create('both')),
      ),
    )
    await step('last', [changed(did, 'last', note('last'))], () => alice.create('last'))
  },
}
