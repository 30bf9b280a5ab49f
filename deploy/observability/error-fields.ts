/** Code, details and fix of our errors are own properties and stay; the message and stack of every error are not enumerable. */
export function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return { ...error, message: error.message, stack: error.stack, ...(error.cause === undefined ? {} : { cause: errorFields(error.cause) }) }
}
