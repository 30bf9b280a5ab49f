import { checkStorable } from '../codec/value-codec.ts'
import { StreamError } from '../errors.ts'
import type { Key } from '../model/record.ts'
import type { OperatorNode, TopicDefinition, TopologyNode } from '../model/topology.ts'
import type { Stores } from '../ports/state.ts'
import type { Budget } from './budget.ts'
import { keyOf } from './key-bytes.ts'
import type { TaskMoment } from './moment.ts'
import type { Operator, OperatorContext } from './operator.ts'
import type { Present } from './present.ts'
import { recordInfo } from './record-info.ts'
import type { Reports } from './reports.ts'
import type { Sink } from './sink.ts'

export type Receiver = (value: unknown) => void
type KeyByNode = TopologyNode & { readonly kind: 'keyBy' }

export interface BuiltOperator {
  readonly node: OperatorNode
  readonly operator: Operator
}

/** What the operators of one task share. */
export interface OperatorHost {
  readonly moment: TaskMoment
  readonly stores: Stores
  readonly reports: Reports
  readonly present: Present
  readonly budget: Budget
  /** For tests. State changed in place is an error, where the operator can tell; so is a value that an exchange could not carry. */
  readonly strict: boolean
  readonly time: { watermark: number; processing: number }
  sink(node: TopologyNode, topic: TopicDefinition): Sink
  /** Receiver of a keyBy whose readers are in another stage; undefined when they are in this one. */
  exchange(node: TopologyNode): Receiver | undefined
}

/**
 * Makes the operators of a stage and joins them: each node becomes a function that takes a value described by the moment.
 * @returns the operators in topological order and the receiver of each source or exchange that enters the stage, by node id.
 */
export function buildOperators(nodes: readonly TopologyNode[], entering: readonly number[], host: OperatorHost) {
  const operators: BuiltOperator[] = []
  const receivers = new Map<number, Receiver[]>()
  const listen = (input: number, receiver: Receiver) => {
    const known = receivers.get(input)
    // Readers are built from the last to the first; they are called in the order of the topology.
    if (known === undefined) receivers.set(input, [receiver])
    else known.unshift(receiver)
  }
  const fanOut = (id: number): Receiver => {
    const readers = receivers.get(id) ?? []
    if (readers.length === 1) return readers[0]!
    return (value) => {
      for (let r = 0; r < readers.length; r++) readers[r]!(value)
    }
  }
  for (const node of [...nodes].reverse()) {
    switch (node.kind) {
      case 'source':
        break
      case 'sink':
        listen(node.input, sinkReceiver(node, host.sink(node, node.topic), host))
        break
      case 'keyBy': {
        const exchange = host.exchange(node)
        listen(
          node.input,
          exchange === undefined ? keyReceiver(node, fanOut(node.id), host, host.strict) : exchangeReceiver(node, exchange, host),
        )
        break
      }
      case 'operator': {
        const operator = node.make(operatorContext(node, fanOut(node.id), host))
        operators.unshift({ node, operator })
        node.inputs.forEach((input, index) => listen(input, (value) => operator.process(value, index)))
      }
    }
  }
  return { operators, entries: new Map(entering.map((id) => [id, fanOut(id)])) }
}

function sinkReceiver(node: TopologyNode, sink: Sink, { budget, reports }: OperatorHost): Receiver {
  return (value) => {
    try {
      budget.left -= sink.write(value)
    } catch (error) {
      reports.threw(node, value, error)
    }
  }
}

/** @param storable values are refused here that an exchange could not carry, though there is none: tests find what more tasks would not take. */
function keyReceiver(node: KeyByNode, next: Receiver, { moment, reports }: OperatorHost, storable = false): Receiver {
  const info = recordInfo(moment)
  return (value) => {
    let key: Key | undefined
    try {
      const given: unknown = node.key(value, info)
      key = keyOf(given)
      if (key === undefined) {
        throw new StreamError('KEY_INVALID', { operator: node.name, key: String(given), path: '$', message: `keyBy gave ${String(given)}` })
      }
      if (storable) checkStorable(value)
    } catch (error) {
      reports.threw(node, value, error)
      return
    }
    moment.withKey(key, next, value)
  }
}

/** What the exchange can't carry goes the way of what has no key. */
function exchangeReceiver(node: KeyByNode, exchange: Receiver, host: OperatorHost): Receiver {
  const carry: Receiver = (value) => {
    try {
      exchange(value)
    } catch (error) {
      host.reports.threw(node, value, error)
    }
  }
  return keyReceiver(node, carry, host)
}

function operatorContext(node: OperatorNode, emit: Receiver, host: OperatorHost): OperatorContext {
  const { moment, stores, reports, present, budget, strict, time } = host
  const ports = new Map(Object.entries(node.sideOutputs).map(([port, topic]) => [port, sinkReceiver(node, host.sink(node, topic), host)]))
  return {
    name: node.name,
    moment,
    stores,
    emit,
    emitTo(port, value) {
      const receiver = ports.get(port)
      if (receiver === undefined) throw new StreamError('JOB_INVALID', { operator: node.name, port, reason: 'no side output of this name' })
      receiver(value)
    },
    late(value, reason) {
      reports.countLate(reason)
      const receiver = ports.get('late')
      if (receiver === undefined) reports.writeLate(node.name, value, reason)
      else receiver(value)
    },
    bad: (value, error) => reports.threw(node, value, error),
    budget,
    strict,
    time,
    present(at) {
      present.time = at
    },
  }
}
