import type { MessagePort, Worker } from 'node:worker_threads'
import type { ThreadLine } from '../../engine/log/embedded/log-calls.ts'

/** A port, or the thread at its other end, as a line. Listening keeps the thread alive, as a port does. */
export function lineOf(port: MessagePort | Worker): ThreadLine {
  return {
    send: (message) => port.postMessage(message),
    listen(listener) {
      port.on('message', listener)
      return () => void port.off('message', listener)
    },
  }
}
