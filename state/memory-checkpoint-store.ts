import type { CheckpointStore } from '../engine/ports/checkpoint-store.ts'

/** Checkpoints in memory: for tests, simulation and the test kit. Hand the same one to the next life of a task. */
export class MemoryCheckpointStore implements CheckpointStore {
  /** Open to tests that damage files. */
  readonly files = new Map<string, Uint8Array>()

  async put(name: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const copies: Uint8Array[] = []
    for await (const part of parts) copies.push(Uint8Array.from(part))
    this.files.set(name, Buffer.concat(copies))
  }

  async read(name: string, position: number, length: number): Promise<Uint8Array | null> {
    return this.files.get(name)?.slice(position, position + length) ?? null
  }

  async size(name: string): Promise<number | null> {
    return this.files.get(name)?.length ?? null
  }

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()].sort()
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name)
  }
}
