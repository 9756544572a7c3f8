// `node killed-import.ts ROOT ACCOUNT SHARE`: sends the repository of a scene to its server, and is gone, as by kill -9,
// when that share of the bytes has been asked for.
import { importCar } from '../../services/pds/test/arrival.ts'
import { carOf } from './imports.ts'
import { openScene, readScene } from './scene.ts'

const PIECE_BYTES = 4000

const [root = '', account = '', share = ''] = process.argv.slice(2)
const scene = readScene(root)
const car = carOf(root)
await using pds = await openScene(root, scene, { seed: 4 })
let sent = 0
const body = new ReadableStream<Uint8Array>(
  {
    pull(controller) {
      if (sent > car.length * Number(share)) process.kill(process.pid, 'SIGKILL')
      controller.enqueue(car.slice(sent, (sent += PIECE_BYTES)))
    },
  },
  { highWaterMark: 0 },
)
await importCar(pds, scene.accounts[account]!.accessJwt, body)
