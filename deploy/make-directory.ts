import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** Not Node's own `recursive`: below a directory that takes no entries, as /proc, that never comes back. */
export async function makeWithParents(directory: string): Promise<void> {
  const made = () => mkdir(directory).catch((error: NodeJS.ErrnoException) => error)
  const failure = await made()
  if (failure?.code === 'ENOENT' && path.dirname(directory) !== directory) {
    await makeWithParents(path.dirname(directory))
    await mkdir(directory)
  } else if (failure !== undefined && !(failure.code === 'EEXIST' && (await stat(directory)).isDirectory())) throw failure
}
