import path from 'node:path'

export interface CheckedJob {
  /** Absolute path of the job file. */
  readonly job: string
  /** The settings that hold for it, if there are any. */
  readonly tsconfig: string | undefined
  /** Declarations that are part of its project without being imported. */
  readonly ambient: readonly string[]
  /** Whether the project has each file say its types, which holds for written declarations only. Older compilers don't know of it. */
  readonly isolated: boolean
  /** Where the types of `reprise` and `reprise/testing` are, for a job without settings. */
  readonly reprise: { readonly index: string; readonly testing: string }
}

/**
 * The settings to check one job file by: those of its project, whatever they are, less what has to do with writing files. A job without a
 * project is checked strictly, and its imports are found as the bundle finds them. Pure.
 */
export function checkConfig({ job, tsconfig, ambient, isolated, reprise }: CheckedJob): object {
  const compilerOptions = {
    ...(tsconfig === undefined ? withoutProject(reprise) : {}),
    ...nothingIsWritten,
    ...(isolated ? { isolatedDeclarations: null } : {}),
    // By default it is the folder of the settings, which is ours here.
    rootDir: path.parse(job).root,
    // As the bundle takes them.
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  }
  // An empty `include`, or the project's own would be checked too.
  return { ...(tsconfig === undefined ? {} : { extends: tsconfig }), compilerOptions, files: [job, ...ambient], include: [] }
}

/** Null takes a setting of the project away; `false` would not do for one that names a file. */
const nothingIsWritten = {
  noEmit: true,
  composite: false,
  incremental: false,
  tsBuildInfoFile: null,
  declaration: false,
  declarationMap: false,
  emitDeclarationOnly: false,
}

function withoutProject({ index, testing }: CheckedJob['reprise']): object {
  return {
    target: 'es2022',
    // Of what a browser has, jobs see the console, URL, TextEncoder and the like.
    lib: ['es2023', 'dom'],
    types: [],
    module: 'esnext',
    moduleResolution: 'bundler',
    resolveJsonModule: true,
    strict: true,
    // What the bundle is bound to when it runs, wherever the command line is installed.
    paths: { reprise: [index], 'reprise/testing': [testing] },
  }
}
