/** Whose state it is: a checkpoint is only ever loaded by the same. */
export interface TaskIdentity {
  readonly job: string
  readonly version: number
  readonly task: number
  /** Of the version's topology. */
  readonly fingerprint: string
  /** The engine's semantics number: kept for the record, not compared. */
  readonly semantics: number
}
