import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import { ResponseSerializationError } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { jsonText } from '../../json-text.ts'

/** Answers by their schema; values of records as they stand in the log. */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> =
  ({ schema, method, url }) =>
  (answer) => {
    const { data, error } = z.safeEncode(schema, answer)
    if (error !== undefined) throw new ResponseSerializationError(method, url, { cause: error })
    return jsonText(data)
  }
