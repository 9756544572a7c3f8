import type { Hono } from 'hono'
import type { Replica } from '../replica/open-replica.ts'

/** A replica takes no operations: says where to bring them. */
export function replicaRoutes(app: Hono, replica: Pick<Replica, 'upstream' | 'state'>): void {
  app.post('/:did', (c) =>
    c.json(
      { message: `This is a replica of ${replica.upstream}: submit operations there`, error: 'ReadOnly' },
      400,
    ),
  )
}
