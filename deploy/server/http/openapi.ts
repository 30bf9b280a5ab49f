import type { FastifyDynamicSwaggerOptions, SwaggerTransformObject } from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { packageVersion } from '../../package-version.ts'
import { changing } from './changing.ts'
import { ndjson, recordsPath } from './content-types.ts'

/** The document at /openapi.json, made of the schemas that calls are checked by. */
export function openapiOptions(needsTokens: boolean): FastifyDynamicSwaggerOptions {
  const token = { type: 'http', scheme: 'bearer', description: 'rep_…; not needed where the server listens on this machine only' } as const
  return {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Reprise admin API', version: packageVersion() },
      components: { securitySchemes: { token } },
      security: needsTokens ? [{ token: [] }] : [{ token: [] }, {}],
    },
    transform: (document) => {
      const { schema = {}, url, route } = document
      const transformed = jsonSchemaTransform({ ...document, schema: schema as FastifySchema }) as {
        schema: Record<string, unknown>
        url: string
      }
      const method = [route.method].flat()[0]!
      const scope = route.config?.scope
      return {
        url,
        schema: {
          ...transformed.schema,
          operationId: operationIdOf(method, url),
          ...(scope === 'open' ? { security: [] } : { description: `Needs a token with the scope ${scope}, where tokens are needed.` }),
          ...(changing.has(method) ? { headers: idempotencyKey } : {}),
          ...(url === recordsPath && changing.has(method) ? { body: recordBodies } : {}),
        },
      }
    },
    transformObject: withoutInputs,
  }
}

/** Each schema that has a name is given twice, as it is sent and as it is received; those that have one are answers. */
const withoutInputs: SwaggerTransformObject = (document) => {
  const made = jsonSchemaTransformObject(document) as { components: { schemas: Record<string, object> } }
  const schemas = Object.entries(made.components.schemas).filter(([name]) => !name.endsWith('Input'))
  return { ...made, components: { ...made.components, schemas: Object.fromEntries(schemas) } }
}

/** Of GET /api/v1/jobs/:job/lag: getJobsByJobLag. Each path and method has one of its own. */
function operationIdOf(method: string, url: string): string {
  const words = url
    .replace('/api/v1/', '/')
    .split(/[/.-]/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith(':') ? `By${capital(part.slice(1))}` : capital(part)))
  return method.toLowerCase() + words.join('')
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

const idempotencyKey = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      description:
        'The same key again gives the same answer and does nothing again; 409 while the first call is under way. Not with a streamed body',
    },
  },
}

/** Not checked by a schema: each record is, as it comes. */
const recordBodies = {
  content: {
    'application/json': { schema: { description: 'An array of records, or one record' } },
    [ndjson]: { schema: { type: 'string', description: 'One JSON value a line; any number of lines, taken in as they come' } },
  },
}
