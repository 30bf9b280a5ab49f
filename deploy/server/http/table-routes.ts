import { z } from 'zod'
import { StreamError } from '../../../engine/errors.ts'
import { alive } from '../../../replay/control-state.ts'
import { recordOf } from '../../../replay/version-record.ts'
import { valueField } from '../../cli/record-fields.ts'
import type { RepriseServer } from '../server.ts'
import { type TableRow, TableView } from '../table-view.ts'
import { TableViews } from '../table-views.ts'
import { numberInUrl } from './number-in-url.ts'
import { problems } from './problem.ts'
import type { App } from './typed-app.ts'

const tableBytesMax = 256 << 20
/** Beside the one that is asked for. */
const tablesBytesMax = 256 << 20

const rowView = z.object({ key: z.string(), value: z.unknown(), partition: z.number(), offset: z.string() })
const owned = {
  version: z.number().nullable().describe('The version that publishes it; or the one that was asked for'),
  control: z.number().nullable().describe('Decisions about its job this answer knows of; a client can ask for at least as many'),
}

export function tableRoutes(app: App, server: RepriseServer): void {
  const views = new TableViews(tablesBytesMax)
  const minControl = numberInUrl(0).optional().describe('Answer only as of so many decisions about the job, or more')
  const versionAsked = z.coerce.number().int().positive().optional().describe('What this version gave for it, private or public')

  /** TOPIC_UNKNOWN, REQUEST_INVALID for a topic that is no table, VERSION_UNKNOWN, VERSION_STATE for one of which nothing is left. */
  const open = (topic: string, version: number | undefined, least: number | undefined) => {
    const { log } = server
    const info = log.topic(topic)
    if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
    if (info.kind !== 'table')
      throw new StreamError(
        'REQUEST_INVALID',
        { topic, kind: info.kind, reason: 'it is no table' },
        { fix: `read /api/v1/topics/${topic}/records` },
      )
    const controller = [...server.controllers.values()].find((each) => each.writes(topic))
    const control = controller?.control.events ?? null
    if (least !== undefined && (control ?? 0) < least)
      throw new StreamError(
        'REQUEST_INVALID',
        { topic, control, asked: least, reason: 'so many decisions were not made yet' },
        { fix: 'ask again' },
      )
    if (version === undefined) {
      const view = views.open(
        topic,
        () => true,
        () => new TableView(log, topic, tableBytesMax),
      )
      return { view, owned: { version: controller?.control.owner ?? null, control } }
    }
    if (controller === undefined)
      throw new StreamError('REQUEST_INVALID', { topic, version, reason: 'no job writes it' }, { fix: 'ask without a version' })
    const outputs = controller.outputsOf(version)
    if (!outputs.includes(topic))
      throw new StreamError(
        'REQUEST_INVALID',
        { topic, version, reason: 'it is no output of this version' },
        { fix: `its outputs are ${outputs.join(', ')}` },
      )
    const view = views.open(
      `${topic} v${version}`,
      () => alive(controller.version(version)),
      () =>
        new TableView(log, topic, tableBytesMax, (partition) => recordOf(controller.control, controller.job, version, topic, partition)),
    )
    return { view, owned: { version, control } }
  }

  app.get(
    '/api/v1/tables/:topic',
    {
      schema: {
        summary:
          'Rows of a table by key, in order: the latest value of each. A page ends at the limit or at 8 MB, and `next` is the key to go on behind',
        params: z.strictObject({ topic: z.string().max(249) }),
        querystring: z.strictObject({
          key: z.string().optional().describe('This key alone'),
          prefix: z.string().default('').describe('Keys with this beginning'),
          after: z.string().optional().describe('Go on behind this key'),
          limit: z.coerce.number().int().min(1).max(10_000).default(100),
          version: versionAsked,
          minControl,
        }),
        response: {
          200: z.object({ items: z.array(rowView), next: z.string().nullable(), ...owned }),
          ...problems,
        },
      },
    },
    async ({ params, query }) => {
      const { view, owned } = open(params.topic, query.version, query.minControl)
      if (query.key !== undefined) {
        const row = await view.get(query.key)
        return { items: row === undefined ? [] : [viewOf(row)], next: null, ...owned }
      }
      const { rows, next } = await view.page(query.prefix, query.after, query.limit)
      return { items: rows.map(viewOf), next: next ?? null, ...owned }
    },
  )
}

function viewOf({ key, value, partition, offset }: TableRow): z.infer<typeof rowView> {
  return { key, value: valueField(value), partition, offset: String(offset) }
}
